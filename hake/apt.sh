# Debian's packages without touching the machine's own apt: lists and packages are kept in a folder,
# by a set-up of apt that is all in there. Sourced by what fetches something of Debian's.

mirror=${SKERRY_MIRROR:-http://deb.debian.org/debian}

say() {
	echo "hake: $*" >&2
}

# Debian's keys; a Debian 12 that is up to date has those of Debian 13, too.
find_keyring() {
	for file in /usr/share/keyrings/debian-archive-keyring.gpg /usr/share/keyrings/debian-archive-keyring.pgp; do
		if [ -f "$file" ]; then
			echo "$file"
			return 0
		fi
	done
	return 1
}

# set_up_apt DIR SUITE: makes the folder DIR the one that private_apt works in, for packages of SUITE.
# Fails if there are no keys of Debian.
set_up_apt() {
	keyring=$(find_keyring) || return 1
	mkdir -p "$1/state/lists/partial" "$1/cache/archives/partial"
	apt=$(cd "$1" && pwd)
	: >"$apt/status"
	echo "deb [arch=amd64 signed-by=$keyring] $mirror $2 main" >"$apt/sources.list"
}

# Runs an apt program, $1, with the set-up of $apt. Proxies are taken from the machine.
private_apt() {
	program=$1
	shift
	"$program" -q=2 \
		-o Dir::Etc::SourceList="$apt/sources.list" -o Dir::Etc::SourceParts=/dev/null \
		-o Dir::Etc::Preferences=/dev/null -o Dir::Etc::PreferencesParts=/dev/null \
		-o Dir::State="$apt/state" -o Dir::State::Status="$apt/status" \
		-o Dir::Cache="$apt/cache" -o Dir::Log="$apt" \
		-o APT::Architecture=amd64 -o APT::Architectures=amd64 -o APT::Sandbox::User=root \
		-o APT::Update::Error-Mode=any -o Acquire::Languages=none -o Acquire::Retries=2 -o Acquire::http::Timeout=20 "$@"
}
