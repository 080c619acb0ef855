# The work of one operation, detached from whoever asked for it. It ends with an outcome, or it was interrupted.

log=$directory/work.log
said=$directory/out.log
errors=$directory/err.log

run() { # COMMAND...: within its time; what it says is kept for `why`, and in the log for people
    true >"$said" && true >"$errors"
    bounded "$command_s" "$@" </dev/null >>"$said" 2>>"$errors"
    _ran=$?
    { printf '+ %s\n' "$1" && tail -c 20000 "$said" && tail -c 20000 "$errors"; } >>"$log" 2>/dev/null
    return "$_ran"
}

line() { printf '%s' "$1" | tr '\n\r\t' '   '; }

finish() { # done|failed DETAIL
    rm -rf "$directory/in"
    mkdir -p "$directory/in"
    keep "ops/$key.out" "$1
$(line "$2")"
    rm -f "$directory/ops/$key.pid" "$directory/ops/$key.sh"
    for _old in $(ls -1t "$directory/ops" | tail -n +1025); do rm -f "$directory/ops/$_old"; done
    exit 0
}

fail() { finish failed "$1"; }

fail_unwell() { # WHY: what is there now may not run, until somebody restarts it or a health command says that it does
    unwell "$1"
    fail "$1"
}

words() { # REVISION WORDS: run a command of the recipe
    revision=$1
    eval "set -- $2"
    run "$@"
}

restart() { # REVISION: sets `failed` if it does not start
    [ -n "$restart_words" ] || return 0
    words "$1" "$restart_words" && return
    failed=$(why $? "$said" "$errors")
    return 1
}

unwell() { keep sick "$(line "$1")"; }

as_it_was() { # nothing was changed: what ran before runs as well, or as ill, as it did
    if [ -n "$mark" ]; then unwell "$mark"; else rm -f "$directory/sick"; fi
}

well() {
    rm -f "$directory/sick"
    keep revision "$1"
}

# release-dir

download() { # URL FILE
    if command -v curl >/dev/null 2>&1; then
        run curl -fsSL --proto '=http,https' -o "$2" --url "$1"
    elif command -v wget >/dev/null 2>&1; then
        run wget -q -O "$2" "$1"
    else
        fail "nothing done: neither curl nor wget is there"
    fi
}

fetch() { # sets `file`, with its checksum right
    file=$directory/in/$digest
    if [ "$artifact" = url ]; then
        [ -n "$digest$sum_url" ] || fail "nothing done: no sha256 of $artifact_name is in the list of checksums"
        file=$directory/in/$key.part
        download "$url" "$file" || fail "nothing done: no $url: $(why $? "$said" "$errors")"
        if [ -n "$sum_url" ]; then
            download "$sum_url" "$directory/in/$key.sum" || fail "nothing done: no $sum_url: $(why $? "$said" "$errors")"
            digest=$(listed "$directory/in/$key.sum" "$artifact_name")
        fi
    fi
    _sum=$(checksum "$file")
    [ -n "$_sum" ] || fail "nothing done: no sha256sum, shasum or openssl is there"
    [ "$_sum" = "$digest" ] || fail "nothing done: wrong checksum: sha256 $_sum, not ${digest:-known}"
}

listed() { # FILE NAME: the digest of NAME in a list of sha256sum's, or the only one
    _only= _n=0
    while read -r _digest _name || [ -n "$_digest" ]; do
        [ -n "$_digest" ] || continue
        _n=$((_n + 1)) _only=$_digest
        if [ "${_name#\*}" = "$2" ]; then
            printf '%s' "$_digest"
            return
        fi
    done <"$1"
    [ "$_n" -ne 1 ] || printf '%s' "$_only"
}

unpack() {
    _tmp=$root/releases/$wanted.tmp
    rm -rf "$_tmp"
    run mkdir -p "$_tmp" || fail "nothing done: $(why $? "$said" "$errors")"
    case $artifact_name in
    *.tar) run tar -o -xf "$file" -C "$_tmp" ;;
    *.tar.gz | *.tgz) run tar -o -xzf "$file" -C "$_tmp" ;;
    *.tar.xz) run tar -o -xJf "$file" -C "$_tmp" ;;
    *.zip) run unzip -q -o "$file" -d "$_tmp" ;;
    *) run cp "$file" "$_tmp/$service" && run chmod 755 "$_tmp/$service" ;;
    esac
    _code=$?
    if [ "$_code" -eq 0 ]; then
        run mv "$_tmp" "$root/releases/$wanted"
        _code=$?
    fi
    if [ "$_code" -ne 0 ]; then
        _why=$(why "$_code" "$said" "$errors")
        rm -rf "$_tmp"
        fail "nothing done: cannot unpack: $_why"
    fi
}

switch() { # REVISION: `current` is the old one or the new one at any time, where mv can do that
    rm -f "$root/current.tmp"
    run ln -s "releases/$1" "$root/current.tmp" || return 1
    { mv -T -f "$root/current.tmp" "$root/current" || mv -f -h "$root/current.tmp" "$root/current" ||
        ln -sfn "releases/$1" "$root/current"; } 2>/dev/null
    rm -f "$root/current.tmp"
    [ "$(readlink "$root/current")" = "releases/$1" ]
}

prune() { # keep the newest, what runs and what ran before
    _n=0
    for _name in $(ls -1t "$root/releases"); do
        case $_name in *.tmp) rm -rf "$root/releases/$_name" ;; esac
        valid "$_name" || continue
        _n=$((_n + 1))
        if [ "$_n" -gt "$keep_releases" ] && [ "$_name" != "$wanted" ] && [ "$_name" != "$before" ]; then
            rm -rf "$root/releases/$_name"
        fi
    done
}

release_dir() {
    if [ -e "$root/current" ] && [ ! -L "$root/current" ]; then
        fail "nothing done: $root/current is no symbolic link: move it away"
    fi
    if [ ! -d "$root/releases/$wanted" ]; then
        fetch
        unpack
    fi
    touch "$root/releases/$wanted"
    unwell "in the middle of a deploy of $wanted"
    switch "$wanted" || {
        as_it_was
        fail "nothing done: cannot switch: $(what_said "$said" "$errors")"
    }
    restart "$wanted" || release_back
    before=$old
    if [ "$old" = "$wanted" ]; then { read -r before <"$directory/previous"; } 2>/dev/null; fi
    keep previous "$before"
    prune
}

release_back() {
    _first="restart failed: $failed"
    if [ -z "$old" ]; then
        rm -f "$root/current" "$directory/sick"
        fail "$_first; nothing ran before"
    elif [ "$old" = "$wanted" ]; then
        fail_unwell "$_first"
    elif ! switch "$old"; then
        fail_unwell "$_first; and cannot switch back to $old: $(what_said "$said" "$errors")"
    elif restart "$old"; then
        well "$old"
        fail "$_first; $old runs again"
    elif [ "$_first" = "restart failed: $failed" ]; then
        fail_unwell "$_first; and $old did not start again for the same reason"
    fi
    fail_unwell "$_first; and $old did not start again: $failed"
}

# package

install() { # REVISION: sets `failed`
    failed=
    _version=$version_prefix$1$version_suffix
    keep revision "$1"
    case $manager in
    apt)
        _get="$sudo env DEBIAN_FRONTEND=noninteractive apt-get"
        # Somebody else's upgrade is waited for.
        _how='-y -q --allow-downgrades -o DPkg::Lock::Timeout=60'
        _how="$_how -o Dpkg::Options::=--force-confdef -o Dpkg::Options::=--force-confold"
        # shellcheck disable=SC2086
        run $_get install $_how "$package=$_version" ||
            { run $_get update -q && run $_get install $_how "$package=$_version"; }
        ;;
    *)
        # Older ones go back only when told to, and what it knows of an archive may be days old.
        for _do in install downgrade 'install --refresh'; do
            # shellcheck disable=SC2086
            run $sudo dnf $_do -y "$package-$_version" && current && [ "$running" = "$1" ] && break
        done
        ;;
    esac
    failed=$(why $? "$said" "$errors")
    current
    [ "$running" = "$1" ]
}

package() {
    unwell "in the middle of a deploy of $wanted"
    if [ "$old" != "$wanted" ] && ! install "$wanted"; then
        keep revision "$old"
        current
        _first="not installed: $failed; ${running:-nothing} is"
        [ "$running" = "$old" ] || fail_unwell "$_first"
        as_it_was
        fail "$_first"
    fi
    restart "$wanted" && return
    _first="restart failed: $failed"
    if [ -n "$old" ] && [ "$old" != "$wanted" ] && install "$old" && restart "$old"; then
        well "$old"
        fail "$_first; $old runs again"
    fi
    [ "$old" != "$wanted" ] || fail_unwell "$_first"
    fail_unwell "$_first; ${old:-nothing} is not back: $failed"
}

# command

command_recipe() {
    unwell "in the middle of a deploy of $wanted"
    if [ "$restarting" = 1 ] && [ "$old" = "$wanted" ]; then
        restart "$wanted" || fail_unwell "restart failed: $failed"
        return
    fi
    words "$wanted" "$deploy_words" || {
        failed=$(why $? "$said" "$errors")
        current
        [ "$running" = "$old" ] || fail_unwell "deploy command: $failed"
        as_it_was
        fail "deploy command: $failed"
    }
    [ -n "$state_words" ] || keep revision "$wanted"
    current
    [ "$running" = "$wanted" ] || fail_unwell "deploy command ended well, but ${running:-nothing} runs"
}

work() {
    trap '' HUP
    keep "ops/$key.pid" "$(identity $$)"
    umask 022
    true >"$log"
    current
    old=$running
    marked
    if [ "$restarting" = 1 ] && [ -z "$restart_words" ]; then fail 'nothing done: the recipe has no restart command'; fi
    case $recipe in
    release-dir) release_dir ;;
    package) package ;;
    command) command_recipe ;;
    esac
    well "$wanted"
    finish done "runs $wanted"
}
