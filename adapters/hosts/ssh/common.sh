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

telling() { # first|last: the one of the lines on stdin that say something
    LC_ALL=C tr '\000\r\t' '   ' | {
        _first= _last= _less=
        while read -r _each || [ -n "$_each" ]; do
            case $_each in
            # Of the shell, about what it was told to run or to end.
            '' | '+ '* | *Killed*) ;;
            *'exiting now' | *'Child returned status '* | *[Ww]arning:* | *WARNING* | 'W: '* | *'cannot change locale'* | \
                *'unable to resolve host'*) _less=${_less:-$_each} ;;
            *) _first=${_first:-$_each} _last=$_each ;;
            esac
        done
        # Python says what happened at the end, most others at the beginning.
        case $1$_first in last* | 'firstTraceback '*) _first=$_last ;; esac
        printf '%s' "${_first:-$_less}"
    } | LC_ALL=C cut -c 1-300
}

what_said() { # OUT ERR: the line that says what went wrong with a command
    _told=$({ head -c 8000 "$2" && printf '\n' && tail -c 8000 "$2"; } 2>/dev/null | telling first)
    [ -n "$_told" ] || _told=$(tail -c 4000 "$1" 2>/dev/null | telling last)
    printf '%s' "$_told"
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

why() { # STATUS OUT ERR: what went wrong with a command, in a line
    _what=$(what_said "$2" "$3")
    if grep -q -e 'No space left on device' -e 'Wrote only [0-9]' "$2" "$3" 2>/dev/null; then _what='the disk is full'; fi
    if grep -q -e 'sudo:.*password is required' -e 'sudo:.*terminal is required' "$2" "$3" 2>/dev/null; then
        printf 'sudo asks for a password there: allow the command without one (NOPASSWD)'
        return
    fi
    case $1 in
    124) printf 'not done in %s s, ended' "$command_s" ;;
    *) printf 'exit %s' "$1" ;;
    esac
    [ -z "$_what" ] || printf ': %s' "$_what"
}

marked() { # sets `mark`: the last restart failed, or a deploy was cut off in its middle; "" if neither
    mark=
    { read -r mark <"$directory/sick"; } 2>/dev/null
    [ -n "$mark" ]
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
