# shellcheck shell=bash
# Functions shared by build, demo and test. Sourced.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

# Prints the packages of the named parts of packages.txt.
packages_of() {
    local part wanted=" $* "
    while read -r first second _; do
        case $first in
        '') ;;
        '#') part=$second ;;
        *) [[ $wanted == *" $part "* ]] && echo "$first" ;;
        esac
    done <"$root/scripts/packages.txt"
    return 0
}

is_installed() {
    # shellcheck disable=SC2016
    [[ $(dpkg-query -W -f '${db:Status-Status}' "$1" 2>/dev/null || true) == installed ]]
}

# Installs the missing packages of the named parts through apt, as root or with sudo.
need_packages() {
    local missing=() package sudo=()
    for package in $(packages_of "$@"); do
        is_installed "$package" || missing+=("$package")
    done
    [[ ${#missing[@]} -eq 0 ]] && return 0
    for package in $(packages_of replaced); do
        ! is_installed "$package" || missing+=("$package-") # apt removes it
    done
    [[ $(id -u) -eq 0 ]] || sudo=(sudo)
    echo "installing: ${missing[*]}" >&2
    "${sudo[@]}" apt-get update -qq
    DEBIAN_FRONTEND=noninteractive "${sudo[@]}" apt-get install -y -qq --no-install-recommends "${missing[@]}" >/dev/null
}
