# What the helper and its worker share. POSIX sh; also dash and busybox ash.
#
# In front of this stand the variables of one call, each quoted:
#   nonce verb closing host service directory operation key wanted token restarting digest lines log_words
#   command_s health_s, and those of the recipe (recipes.py).
set -u
umask 077
PATH="${PATH:-/usr/bin:/bin}:/usr/local/sbin:/usr/sbin:/sbin"
export PATH

say() { # KEY VALUE: one line of the answer; everything else on stdout is noise
    printf 'PITHEAD-%s %s %s\n' "$nonce" "$1" "$2"
}

begin() { # from here on the host does as it is told; a line of its own, whatever stood before it
    printf '\n'
    say begin "$verb"
}

keep() { # FILE TEXT: the whole file or the old one
    printf '%s\n' "$2" >"$directory/$1.$$" && mv -f "$directory/$1.$$" "$directory/$1"
}

valid() { # NAME: may it name a revision, and a folder
    case $1 in
    '' | . | .. | -* | *.tmp | *[!A-Za-z0-9._-]*) return 1 ;;
    esac
    [ ${#1} -le 100 ]
}

last_line() { # FILE: its last line that says anything
    tail -c 4000 "$1" 2>/dev/null | LC_ALL=C tr '\000\r' '  ' | LC_ALL=C sed '/^[[:space:]]*$/d' | tail -n 1 |
        LC_ALL=C cut -c 1-300
}

checksum() { # FILE: its SHA-256 in hex, "" if that cannot be made
    { sha256sum "$1" || shasum -a 256 "$1" || openssl dgst -sha256 -r "$1"; } 2>/dev/null | cut -d ' ' -f 1
}

identity() { # PID: a name of this very process, not of a later one with its number; "" if it is gone
    _pid=$1
    if [ -r /proc/self/stat ]; then
        _line=
        { read -r _line <"/proc/$_pid/stat"; } 2>/dev/null || return 0
        _boot=
        { read -r _boot </proc/sys/kernel/random/boot_id; } 2>/dev/null
        # shellcheck disable=SC2086
        set -- ${_line##*) }
        [ "$1" = Z ] || printf '%s.%s.%s' "$_pid" "${20}" "$_boot"
    elif kill -0 "$_pid" 2>/dev/null; then
        printf '%s.%s' "$_pid" "$(ps -o lstart= -p "$_pid" 2>/dev/null | tr -d ' :')"
    fi
}

alive() { # IDENTITY
    [ -n "$1" ] && [ "$(identity "${1%%.*}")" = "$1" ]
}

bounded() { # SECONDS COMMAND...: its status; 124 once it had to be ended, with all that it began
    _limit=$1
    shift
    if command -v setsid >/dev/null 2>&1; then setsid "$@" & else "$@" & fi
    _child=$!
    (
        # In small steps, as a sleep outlives whoever began it.
        while [ "$_limit" -gt 0 ]; do
            sleep 1
            _limit=$((_limit - 1))
        done
        trap '' TERM
        kill -9 "-$_child" || kill -9 "$_child"
        exit 9
    ) </dev/null >/dev/null 2>&1 &
    _dog=$!
    wait "$_child"
    _status=$?
    kill "$_dog" 2>/dev/null
    wait "$_dog" 2>/dev/null
    [ $? -ne 9 ] || _status=124
    return "$_status"
}

why() { # STATUS FILE: what went wrong with a command, in a line
    _said=$(last_line "$2")
    # tar and others end with a line that says less.
    if grep -q -e 'No space left on device' -e 'Wrote only [0-9]' "$2" 2>/dev/null; then _said='the disk is full'; fi
    case $_said in
    *'password is required'* | *'terminal is required to read the password'*)
        printf 'sudo asks for a password there: allow the command without one (NOPASSWD)'
        return
        ;;
    esac
    case $1 in
    124) printf 'not done in %s s, ended' "$command_s" ;;
    *) printf 'exit %s' "$1" ;;
    esac
    # The shell itself says so of what was ended.
    case $_said in *Killed*) return ;; esac
    [ -z "$_said" ] || printf ': %s' "$_said"
}

current() { # sets `running`: the revision that runs, "" if none
    running=
    case $recipe in
    release-dir)
        _link=$(readlink "$root/current" 2>/dev/null)
        _name=${_link##*/}
        if valid "$_name" && [ -d "$root/releases/$_name" ]; then running=$_name; fi
        ;;
    package)
        case $manager in
        apt) _full=$(dpkg-query -W -f '${db:Status-Status} ${Version}' "$package" 2>/dev/null) ;;
        *) _full=$(rpm -q --qf 'installed %{VERSION}-%{RELEASE}' "$package" 2>/dev/null) ;;
        esac
        case $_full in
        'installed '*) _full=${_full#installed } ;;
        *) return ;;
        esac
        _full=${_full#"$version_prefix"}
        _full=${_full%"$version_suffix"}
        # rpm tells the package's release too; what was asked for by its version alone is told by that.
        _asked=
        { read -r _asked <"$directory/revision"; } 2>/dev/null
        if [ "$manager" != apt ] && [ -n "$_asked" ] && [ "${_full%-*}" = "$_asked" ]; then _full=$_asked; fi
        if valid "$_full"; then running=$_full; fi
        ;;
    command)
        if [ -n "$state_words" ]; then
            revision=
            eval "set -- $state_words"
            running=$(bounded "$health_s" "$@" </dev/null 2>/dev/null | head -n 1 | tr -d '\r')
        else
            { read -r running <"$directory/revision"; } 2>/dev/null
        fi
        valid "$running" || running=
        ;;
    esac
}
