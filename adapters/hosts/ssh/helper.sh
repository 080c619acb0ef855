# The host's end: what was asked for, how it ended, and whether it may begin. Fed on stdin, nothing is installed.
#
# `directory` on the host holds: host, token (the highest seen), newest (operation's key), ops/KEY.run (taken),
# ops/KEY.pid (its worker), ops/KEY.out (its outcome), in/ (files on their way), sick (why what is there may not
# run: `marked`), revision and previous (what ran well last, and before that), out.log, err.log and work.log (what
# commands said).

lock() { # a symbolic link: made at once with what it says, so that no lock is ever without its holder
    _me=$(identity $$)
    _tries=0
    until ln -s "$_me" "$directory/lock" 2>/dev/null; do
        _tries=$((_tries + 1))
        [ "$_tries" -le 20 ] || return 1
        _holder=$(readlink "$directory/lock") || continue
        if alive "$_holder"; then
            sleep 1
        elif ln -s "$_me" "$directory/lock.stale" 2>/dev/null; then
            [ "$(readlink "$directory/lock")" != "$_holder" ] || rm -f "$directory/lock"
            rm -f "$directory/lock.stale"
        else
            _breaker=$(readlink "$directory/lock.stale") && ! alive "$_breaker" && rm -f "$directory/lock.stale"
            sleep 1
        fi
    done
}

unlock() { rm -f "$directory/lock"; }

fault() { # WHY
    say fault "$1"
    say end "$closing"
}

ours() { # is the directory of this host
    _owner=$host
    { read -r _owner <"$directory/host"; } 2>/dev/null
    [ "$_owner" = "$host" ] ||
        { fault "$directory is that of $_owner: give each host its own, with {host} in its name" && return 1; }
}

opened() { # make the directory
    _said=$(mkdir -p "$directory/ops" "$directory/in" 2>&1 && chmod 700 "$directory" 2>&1) ||
        { fault "cannot keep anything in $directory: $_said" && return 1; }
    ours && { [ -s "$directory/host" ] || keep host "$host" 2>/dev/null || { fault "cannot write in $directory" && return 1; }; }
}

ended() { # KEY: sets outcome and detail, if it has ended
    [ -s "$directory/ops/$1.out" ] || return 1
    outcome=none detail=
    { read -r outcome && read -r detail; } <"$directory/ops/$1.out"
    [ "$outcome" = done ] || [ "$outcome" = failed ]
}

look() { # KEY [locked]: sets its operation, revision, outcome (none, running, done, failed) and detail
    told=none asked= outcome=none detail=
    { read -r told && read -r asked; } 2>/dev/null <"$directory/ops/$1.run" || return 1
    ended "$1" && return
    _worker=
    { read -r _worker <"$directory/ops/$1.pid"; } 2>/dev/null
    outcome=running
    alive "$_worker" && return
    # Whoever holds the lock may be just about to begin it.
    [ "${2:-}" = locked ] || lock || return 0
    _worker=
    { read -r _worker <"$directory/ops/$1.pid"; } 2>/dev/null
    if ! ended "$1" && ! alive "$_worker"; then
        outcome=failed detail='interrupted: the host went down or the work was ended before it was through'
        keep "ops/$1.out" "$outcome
$detail"
    fi
    [ "${2:-}" = locked ] || unlock
}

healthy() { # is what runs well, as far as it can be known here; sets `mark`, and `ill` by the health command
    ill=
    if marked; then
        # What passes a check in the middle of a deploy may be the old process still.
        case $mark in 'in the middle of '*) return 1 ;; esac
        [ -n "$health_words" ] || return 1
    fi
    [ -n "$running" ] || return 1
    [ -n "$health_words" ] || return 0
    revision=$running
    eval "set -- $health_words"
    bounded "$health_s" "$@" </dev/null >/dev/null 2>&1 && return
    _code=$?
    ill="health command: exit $_code"
    [ "$_code" -ne 124 ] || ill="health command: no answer in $health_s s"
    return 1
}

state() {
    ours || return
    _newest=
    { read -r _newest <"$directory/newest"; } 2>/dev/null
    outcome=none
    if [ -n "$_newest" ] && look "$_newest"; then
        say operation "$told"
        say outcome "$outcome"
        say detail "$detail"
    fi
    current
    if healthy; then
        say healthy yes
    else
        say healthy no
        # Nothing runs for certain: whoever wants it to run here is to tell it again.
        if [ -n "$mark" ] && [ "$outcome" != running ]; then running=; fi
        say mark "$mark"
        say ill "$ill"
    fi
    say revision "$running"
    if [ "$recipe" = release-dir ] && [ "$artifact" = there ]; then
        for _name in $(ls -1 "$root/releases" 2>/dev/null); do
            if valid "$_name"; then say available "$_name"; fi
        done
    fi
    say end "$closing"
}

answer() { # WORD: what becomes of a deploy
    say answer "$1"
    say outcome "$outcome"
    say detail "$detail"
    say end "$closing"
}

known() { # [locked]: answer for an operation that was taken before
    look "$key" "${1:-}" || return 1
    if [ "$asked" != "$wanted" ]; then
        outcome=none detail="$operation was for $asked, not $wanted"
        answer refused
    else
        answer known
    fi
}

deploy() {
    opened || return
    known && return
    outcome=none
    if ! lock; then
        detail="somebody holds $directory/lock"
        answer busy
        return
    fi
    known locked || take
    unlock
}

take() { # with the lock held
    outcome=none detail=
    _highest=0
    { read -r _highest <"$directory/token"; } 2>/dev/null
    case $_highest in '' | *[!0-9]*) _highest=0 ;; esac
    if [ "$token" -lt "$_highest" ]; then
        detail="token $token is older than $_highest"
        answer stale
        return
    fi
    _newest=
    { read -r _newest <"$directory/newest"; } 2>/dev/null
    if [ -n "$_newest" ] && look "$_newest" locked && [ "$outcome" = running ]; then
        keep token "$token"
        outcome=none detail="busy with $told"
        answer busy
        return
    fi
    outcome=none detail=
    current
    _there=no
    if [ "$running" = "$wanted" ] && [ "$restarting" = 0 ] && ! marked && healthy; then _there=yes; fi
    if [ "$_there" = no ] && [ "$recipe" = release-dir ] && [ ! -d "$root/releases/$wanted" ]; then
        if [ "$artifact" = there ]; then
            detail="$root/releases/$wanted is not there"
            answer refused
            return
        elif [ "$artifact" = directory ] && { [ -z "$digest" ] || [ ! -f "$directory/in/$digest" ]; }; then
            answer wants
            return
        fi
    fi
    if ! { worker >"$directory/ops/$key.sh" && keep token "$token" && keep "ops/$key.run" "$operation
$wanted" && keep newest "$key"; } 2>/dev/null; then
        rm -f "$directory/ops/$key.sh" "$directory/ops/$key.run"
        detail="cannot write in $directory: is the disk full?"
        answer refused
        return
    fi
    if [ "$_there" = yes ]; then
        keep "ops/$key.out" 'done
ran already'
        outcome=done detail='ran already'
        answer known
        return
    fi
    if command -v setsid >/dev/null 2>&1; then
        setsid sh "$directory/ops/$key.sh" </dev/null >/dev/null 2>&1 &
    else
        nohup sh "$directory/ops/$key.sh" </dev/null >/dev/null 2>&1 &
    fi
    [ -s "$directory/ops/$key.pid" ] || keep "ops/$key.pid" "$(identity $!)"
    outcome=running
    answer taken
}

follow() {
    ours || return
    _which=$key
    if [ ! -s "$directory/ops/$key.run" ]; then { read -r _which <"$directory/newest"; } 2>/dev/null; fi
    told=none outcome=none detail=
    look "$_which"
    say operation "$told"
    say outcome "$outcome"
    say detail "$detail"
    say end "$closing"
}

upload() { # a file comes on stdin
    opened || return
    _part=$directory/in/$nonce.part
    begin
    detail=
    if _said=$(cat 2>&1 >"$_part"); then
        _sum=$(checksum "$_part")
        if [ "$_sum" = "$digest" ] && mv -f "$_part" "$directory/in/$digest"; then
            say answer stored
        else
            say answer wrong
            detail="wrong checksum: sha256 ${_sum:-cannot be made there}, not $digest"
        fi
    else
        say answer wrong
        detail="$_said"
    fi
    rm -f "$_part"
    say detail "$(printf '%s' "$detail" | tr '\n' ' ')"
    say end "$closing"
}

logs() {
    revision=
    eval "set -- $log_words"
    { bounded "$health_s" "$@" </dev/null 2>&1; printf '\nPITHEAD-%s status %s\n' "$nonce" "$?"; } |
        tail -n "$((lines + 2))" | tail -c 131072 | LC_ALL=C sed "/^PITHEAD-$nonce /!s/^/PITHEAD-$nonce line /"
    say end "$closing"
}

main() {
    case $verb in
    state) state ;;
    deploy | restart) deploy ;;
    follow) follow ;;
    logs) logs ;;
    esac
}
