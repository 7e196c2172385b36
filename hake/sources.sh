# Getting the sources of libraries, for hake/setup (which sources this in the top folder).
#
# What hake/sources lists comes to build/sources/NAME, unpacked, with its version and sum in a file
# .hake there. Sources come from Debian's archive, or from that of its snapshots when the version has
# left it; the sum decides. Packages come by the machine's own apt, and are not installed.

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

# The package $2 of this Debian, unpacked as $1.
fetch_package() {
	new=$build/sources/$1.new
	echo "hake: fetching the package $2" >&2
	rm -rf "$new" "$build/sources/$1"
	mkdir -p "$new/deb"
	for try in 1 2; do
		(cd "$new/deb" && apt-get -qq -o APT::Sandbox::User=root download "$2") >"$build/sources.log" 2>&1 && break
		[ "$try" = 2 ] || as_root apt-get -qq update >&2 || true
	done
	if ! dpkg-deb -x "$new"/deb/*.deb "$new/files"; then
		tail -3 "$build/sources.log" >&2
		echo "hake: the package $2 could not be fetched by apt-get download" >&2
		return 1
	fi
	rm -r "$new/deb"
	mv "$new" "$build/sources/$1"
}

# Busybox with a link for each of its names, as it lies in the image. Process 1 is not busybox's.
lay_out_busybox() {
	root=$build/sources/busybox/root
	program=$(find "$build/sources/busybox/files" -path '*bin/busybox' -type f)
	mkdir -p "$root/bin"
	cp "$program" "$root/bin/busybox"
	"$program" --list-full | while read -r path; do
		case $path in bin/busybox | sbin/init | linuxrc) continue ;; esac
		mkdir -p "$root/${path%/*}"
		ln -s /bin/busybox "$root/$path"
	done
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
		if [ "$version" = package ]; then
			[ "$have" = "$path" ] && continue
			fetch_package "$name" "$path" || exit 1
			[ "$name" != busybox ] || lay_out_busybox
			echo "$path" >"$build/sources/$name/.hake"
		elif [ "$have" != "$version $sum" ]; then
			fetch_source "$name" "$version" "$path" "$sum" || exit 1
		fi
	done <hake/sources
	touch "$stamp"
}
