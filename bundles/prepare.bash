# shellcheck shell=bash
# Sourced by the scripts that run swrun from a checkout: installs what is missing and builds the release binary.

checkout=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)

# What `swift build` needs besides the toolchain.
build_packages=(libbz2-dev libcap-dev libjansson-dev liblzma-dev libseccomp-dev libzstd-dev pkg-config zlib1g-dev)

fail() {
    echo "${0##*/}: $*" >&2
    exit 1
}

# Installs those of the named Debian packages that are not there yet; prints nothing when all are.
install_missing() {
    local package missing=() log
    for package in "$@"; do
        [[ $(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null) == installed ]] || missing+=("$package")
    done
    ((${#missing[@]})) || return 0
    ((EUID == 0)) || fail "missing packages: ${missing[*]} (install them, or run this as root)"
    echo "installing: ${missing[*]}"
    log=$(mktemp)
    export DEBIAN_FRONTEND=noninteractive
    # Lists that are old or not there yet are fetched, and only then.
    if ! apt-get install -qq -y --no-install-recommends "${missing[@]}" >"$log" 2>&1; then
        if ! { apt-get update -qq && apt-get install -qq -y --no-install-recommends "${missing[@]}"; } >"$log" 2>&1; then
            tail -n 10 -- "$log" >&2
            rm -f -- "$log"
            fail "apt-get could not install: ${missing[*]}"
        fi
    fi
    rm -f -- "$log"
}

# Prints the path of `swift`. sudo resets PATH, so the caller's own and the usual places are looked at too.
find_swift() {
    local swift home candidate
    if swift=$(command -v swift); then
        echo "$swift"
        return
    fi
    if [[ -n ${SUDO_USER:-} ]]; then
        if swift=$(runuser -l "$SUDO_USER" -c 'command -v swift' 2>/dev/null) && [[ -x $swift ]]; then
            echo "$swift"
            return
        fi
        home=$(getent passwd "$SUDO_USER" | cut -d: -f6)
    fi
    for candidate in "${home:-$HOME}/.local/share/swiftly/bin/swift" "$HOME/.local/share/swiftly/bin/swift" \
        /opt/swift*/usr/bin/swift /usr/local/swift*/usr/bin/swift /usr/share/swift*/usr/bin/swift; do
        if [[ -x $candidate ]]; then
            echo "$candidate"
            return
        fi
    done
    fail "no Swift toolchain found: neither in PATH, nor ${SUDO_USER:+in that of $SUDO_USER, nor }in" \
        ".local/share/swiftly of the home directory, /opt/swift*, /usr/local/swift*; install Swift 6.2 or newer"
}

# Installs what the build needs, builds the release binary and puts its path into $release_binary. Under sudo it
# builds as the calling user, so that the files in .build are theirs; unless an earlier build by root is in the way.
build_release() {
    local swift log as_user=()
    install_missing "${build_packages[@]}"
    swift=$(find_swift)
    echo "building swrun (some minutes the first time)"
    if [[ -n ${SUDO_USER:-} && $(stat -c %U -- "$checkout") == "$SUDO_USER" ]] &&
        [[ ! -e $checkout/.build || $(stat -c %U -- "$checkout/.build") == "$SUDO_USER" ]]; then
        as_user=(runuser -u "$SUDO_USER" --)
    fi
    log=$(mktemp)
    # swift finds its own tools beside itself, but git and the linker in PATH.
    if ! "${as_user[@]}" env PATH="$(dirname -- "$swift"):$PATH" "$swift" build --package-path "$checkout" \
        --configuration release --product swrun >"$log" 2>&1; then
        grep -E 'error:' -- "$log" >&2 || tail -n 20 -- "$log" >&2
        rm -f -- "$log"
        fail "swift build failed; see it all with: swift build -c release"
    fi
    rm -f -- "$log"
    # shellcheck disable=SC2034 # for the script that sources this file
    release_binary=$checkout/.build/release/swrun
}
