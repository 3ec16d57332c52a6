# shellcheck shell=bash
# Sourced by the scripts that make a bundle: one way to refuse a path, to clean up and to install config.json.

bundles=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")" && pwd)

die() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Takes DIR for a new bundle, as an absolute path in $bundle. A path that holds something already is refused: what
# stands there is not ours to overwrite, and below not ours to remove.
claim_bundle() {
    local dir=$1
    if [[ -e $dir || -L $dir ]]; then
        [[ -d $dir ]] || die "$dir exists and is not a directory"
        [[ -z $(ls -A -- "$dir") ]] || die "$dir is not empty; name a new or an empty directory"
        made_bundle_directory=false
    else
        mkdir -p -- "$(dirname -- "$dir")"
        mkdir -- "$dir"
        made_bundle_directory=true
    fi
    bundle=$(cd -- "$dir" && pwd)
    background=
    trap discard_bundle EXIT
    trap 'exit 129' HUP
    trap 'exit 130' INT
    trap 'exit 143' TERM
}

# Runs at every exit until finish_bundle: a half-made bundle looks like a whole one, so none is left.
discard_bundle() {
    trap - EXIT
    trap '' HUP INT TERM
    if [[ -n $background ]]; then
        kill -KILL "$background" 2>/dev/null || true
        wait "$background" 2>/dev/null || true
    fi
    if $made_bundle_directory; then
        rm -rf --one-file-system -- "$bundle"
    else
        find "$bundle" -mindepth 1 -xdev -delete
    fi
}

# Runs a long command so that a signal is acted on at once (bash would wait for a command in the foreground).
interruptible() {
    "$@" &
    background=$!
    local status=0
    wait "$background" || status=$?
    background=
    return "$status"
}

finish_bundle() {
    trap - EXIT HUP INT TERM
}

# Prints the file that a configuration is in; NAME is one of configs/*.json without its ending, or a file.
config_file() {
    local name=$1
    if [[ -f $bundles/configs/$name.json ]]; then
        echo "$bundles/configs/$name.json"
    elif [[ -f $name ]]; then
        echo "$name"
    else
        die "no configuration \"$name\"; ready ones: $(config_names)"
    fi
}

config_names() {
    local file names=()
    for file in "$bundles"/configs/*.json; do
        file=${file##*/}
        names+=("${file%.json}")
    done
    echo "${names[*]}"
}

# Copies a configuration to the bundle. Where it has id mappings, the host's side of them becomes the caller (an
# unprivileged user can map no other id without help), and so does the owner of the root filesystem.
install_config() {
    cp -- "$1" "$bundle/config.json"
    grep -q '"uidMappings"' "$1" || return 0
    local uid=${SUDO_UID:-$(id -u)} gid=${SUDO_GID:-$(id -g)}
    if ((uid == 0)); then
        uid=1000 gid=1000
    fi
    sed -i -e "/\"uidMappings\"/s/\"hostID\": 1000/\"hostID\": $uid/" \
        -e "/\"gidMappings\"/s/\"hostID\": 1000/\"hostID\": $gid/" -- "$bundle/config.json"
    if ((EUID == 0)); then
        chown -hR "$uid:$gid" -- "$bundle/rootfs"
    fi
}

# The line that says what to do next.
next_command() {
    local sudo=
    grep -q '"uidMappings"' "$bundle/config.json" || sudo='sudo '
    echo "made $bundle; next: ${sudo}swrun run --bundle $bundle $(basename -- "$bundle")"
}
