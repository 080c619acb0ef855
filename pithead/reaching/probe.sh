# What `pithead check --reach` looks at on a host; nothing is changed there. After common.sh and helper.sh.
#
# Each fault is a line "KIND WHAT", which recipes.py puts in words.

wrong() { say line "$1 $2"; }

there() { command -v "$1" >/dev/null 2>&1; }

writable() { # PATH: could something be made in it; where it is not there yet, in the nearest folder above it
    _at=$1
    while [ ! -e "$_at" ] && [ "$_at" != / ] && [ "$_at" != . ]; do _at=$(dirname "$_at"); done
    [ -d "$_at" ] && [ -w "$_at" ] && [ -x "$_at" ]
}

program() { # KEY WORDS: the command of this key can be run
    [ -n "$2" ] || return 0
    revision=${running:-none}
    eval "set -- $1 $2"
    there "$2" || wrong program "$1 $2"
}

release_dir() {
    { writable "$root" && writable "$root/releases"; } || wrong root "$root"
    if [ -e "$root/current" ] && [ ! -L "$root/current" ]; then wrong current "$root/current"; fi
    if [ "$artifact" = there ]; then
        for _name in $(ls -1 "$root/releases" 2>/dev/null); do
            if valid "$_name"; then say available "$_name"; fi
        done
        return
    fi
    if [ "$artifact" = url ]; then there curl || there wget || wrong tool 'curl or wget'; fi
    there sha256sum || there shasum || there openssl || wrong tool 'sha256sum, shasum or openssl'
    case $artifact_name in
    *.tar | *.tar.gz | *.tgz | *.tar.xz) there tar || wrong tool tar ;;
    *.zip) there unzip || wrong tool unzip ;;
    esac
    case $artifact_name in *.tar.xz) there xz || wrong tool xz ;; esac
}

package() {
    case $manager in
    apt) _tool=apt-get _known="apt-cache show $package" ;;
    *) _tool=dnf _known="dnf -q -C info $package" ;;
    esac
    there "$_tool" || { wrong tool "$_tool" && return; }
    # shellcheck disable=SC2086
    [ -n "$running" ] || bounded "$health_s" $_known </dev/null >/dev/null 2>&1 || wrong package "$package"
    if [ -n "$sudo" ]; then
        there sudo || { wrong tool sudo && return; }
        bounded "$health_s" sudo -n -l </dev/null >/dev/null 2>&1 || wrong sudo "$_tool"
    else
        [ "$(id -u)" = 0 ] || wrong login "$(id -un)"
    fi
}

state_command() { # sets `running`
    revision=
    eval "set -- $state_words"
    there "$1" || { wrong program "state $1" && return; }
    running=$(bounded "$health_s" "$@" </dev/null 2>/dev/null)
    _code=$?
    running=$(printf '%s\n' "$running" | head -n 1 | tr -d '\r')
    valid "$running" || running=
    if [ "$_code" = 124 ]; then
        wrong state "no answer in $health_s s"
    elif [ "$_code" != 0 ]; then
        wrong state "exit $_code"
    elif [ -z "$running" ]; then
        wrong state 'says no revision'
    fi
}

busy() { # is an operation under way; it is only read, never ended
    _newest=
    { read -r _newest <"$directory/newest"; } 2>/dev/null
    [ -n "$_newest" ] && ! ended "$_newest" || return
    _worker=
    { read -r _worker <"$directory/ops/$_newest.pid"; } 2>/dev/null
    alive "$_worker"
}

probe() {
    ours || return
    say now "$(date +%s)"
    writable "$directory" || wrong keeps "$directory"
    running=
    if [ "$recipe" = command ] && [ -n "$state_words" ]; then state_command; else current; fi
    case $recipe in
    release-dir) release_dir ;;
    package) package ;;
    command) program deploy "$deploy_words" ;;
    esac
    program restart "$restart_words"
    program health "$health_words"
    say revision "$running"
    if busy; then say busy yes; fi
    if healthy; then say healthy yes; else say healthy no; fi
    say mark "$mark"
    say ill "$ill"
    say end "$closing"
}
