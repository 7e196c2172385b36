# Getting the sources of libraries, for hake/setup (which sources this in the top folder).
#
# What hake/sources lists comes to build/sources/NAME, unpacked, with its version and sum in a file
# .hake there: so the usual case reads two small files. The archive is Debian's, or that of its
# snapshots when the version has left it; the sum decides.

mirror=${SKERRY_MIRROR:-http://deb.debian.org/debian}
snapshots=http://snapshot.debian.org/archive/debian/20260101T000000Z

# Downloads $1 (a path in the archive) to $2 if its sum is $3.
download() {
	for base in "$mirror" "$snapshots"; do
		if /usr/lib/apt/apt-helper -o Acquire::Retries=2 -o Acquire::http::Timeout=20 \
			download-file "$base/$1" "$2" "SHA256:$3" >"$build/sources.log" 2>&1; then
			return 0
		fi
		rm -f "$2"
	done
	return 1
}

fetch_source() {
	name=$1 version=$2 path=$3 sum=$4
	new=$build/sources/$name.new
	echo "hake: fetching the sources of $name $version" >&2
	rm -rf "$new" "$build/sources/$name"
	mkdir -p "$new"
	if ! download "$path" "$new/archive" "$sum"; then
		tail -3 "$build/sources.log" >&2
		echo "hake: $path could not be had from $mirror (another mirror: \$SKERRY_MIRROR), nor from" >&2
		echo "hake: $snapshots; without a network, unpack it into $build/sources/$name" >&2
		echo "hake: and write \"$version $sum\" into $build/sources/$name/.hake" >&2
		return 1
	fi
	tar -x -f "$new/archive" -C "$new" --strip-components 1
	rm "$new/archive"
	echo "$version $sum" >"$new/.hake"
	mv "$new" "$build/sources/$name"
}

fetch_sources() {
	stamp=$build/sources/.stamp
	if [ "$stamp" -nt hake/sources ]; then
		return 0
	fi
	mkdir -p "$build/sources"
	while read -r name version path sum; do
		case $name in '' | '#'*) continue ;; esac
		have=$(cat "$build/sources/$name/.hake" 2>/dev/null || true)
		[ "$have" = "$version $sum" ] || fetch_source "$name" "$version" "$path" "$sum" || exit 1
	done <hake/sources
	touch "$stamp"
}
