# util-linux's unshare, nsenter, mount, umount, findmnt, lsns, pivot_root, mountpoint.

as_user='setpriv --reuid=1000 --regid=1000 --clear-groups'

case_mounts_of_a_namespace_are_its_own() {
	mkdir m
	unshare -m sh -c 'mount -t tmpfs tmpfs m && touch m/inside && ls m'
	ls m
	mountpoint m || true
}

case_unshare_makes_everything_private() {
	unshare -m findmnt -n -o TARGET,PROPAGATION /
	unshare -m --propagation shared findmnt -n -o TARGET,PROPAGATION /
	unshare -m --propagation slave findmnt -n -o TARGET,PROPAGATION /
}

case_bind_remount_readonly() {
	mkdir a b && echo 1 >a/f
	unshare -m sh -c '
		mount --bind a b && cat b/f && mount -o remount,bind,ro b
		echo 2 >b/f; echo 2 >a/f; cat b/f
		findmnt -n -o VFS-OPTIONS b; umount b; ls b'
}

case_bind_readonly_in_one_command() {
	mkdir a b
	unshare -m sh -c 'mount --bind -o ro,nosuid,nodev,noexec a b; touch b/f; findmnt -n -o VFS-OPTIONS b'
}

case_recursive_binds() {
	mkdir -p a/c b d
	unshare -m sh -c '
		mount -t tmpfs one a && mkdir a/c && mount -t tmpfs two a/c && touch a/c/deep
		mount --bind a b; ls b/c; mount --rbind a d; ls d/c
		umount d; umount -R d; ls d; findmnt -rn -o SOURCE,TARGET -R "$PWD/a" | sed "s,$PWD,,"'
}

case_moving() {
	mkdir a b
	unshare -m sh -c 'mount -t tmpfs x a && touch a/f && mount --move a b && ls a b; mountpoint -q a; echo $?'
}

case_shared_and_slave() {
	mkdir a b c
	unshare -m sh -c '
		mount -t tmpfs x a; mount --make-shared a; mount --bind a b; mount --bind a c
		mount --make-slave c; mkdir a/1 a/2
		mount -t tmpfs y a/1; touch a/1/f; ls b/1 c/1
		mount -t tmpfs z c/2; touch c/2/g; ls a/2 b/2
		findmnt -rn -o PROPAGATION a b; findmnt -n -o PROPAGATION a; findmnt -n -o PROPAGATION c'
}

case_unbindable() {
	mkdir a b
	unshare -m sh -c 'mount -t tmpfs x a; mount --make-unbindable a; mount --bind a b; echo $?; findmnt -n -o PROPAGATION a'
}

case_lazy_umount() {
	mkdir a
	unshare -m sh -c '
		mount -t tmpfs x a; cd a; touch here; umount ../a; echo $?; umount -l ../a; echo $?; ls; umount -l ../a || echo gone'
}

case_tmpfs_options() {
	mkdir a
	unshare -m sh -c '
		mount -t tmpfs -o size=1m,mode=700,uid=5,gid=6,noatime x a; stat -c "%a %u %g" a
		findmnt -n -o SOURCE,FSTYPE,OPTIONS a; mount -o remount,size=2m a; findmnt -n -o FS-OPTIONS a'
}

case_a_mount_that_cannot_be() {
	mkdir a
	mount -t unheardof x a
	echo $?
	mount -t tmpfs -o nosuchoption=1 x a
	echo $?
	mount --bind nothing a
	echo $?
	umount a
	echo $?
}

case_user_namespace_without_privilege() {
	$as_user unshare -U sh -c 'id -u; cat /proc/self/uid_map'
	$as_user unshare -Ur sh -c 'id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map /proc/self/setgroups'
	$as_user unshare -Uc sh -c 'id -u; cat /proc/self/uid_map'
}

case_mounting_without_privilege() {
	mkdir m && chmod 777 m .
	$as_user mount -t tmpfs x m
	echo $?
	$as_user unshare -Urm sh -c 'mount -t tmpfs x m && touch m/f && ls m && stat -c %u m'
	ls m
	$as_user unshare -Urm sh -c 'umount /proc; echo $?; mount -o remount,bind,ro /tmp && touch /tmp/x; umount -l /'
	echo $?
}

case_capabilities_of_a_user_namespace() {
	$as_user unshare -Ur grep -E 'CapEff|CapBnd' /proc/self/status
	$as_user unshare -U grep -E 'CapEff' /proc/self/status
	$as_user unshare -Ur sh -c 'hostname x; echo $?'
	$as_user unshare -Uru sh -c 'hostname inside && hostname'
	hostname | grep inside
	echo $?
}

case_names_of_the_machine() {
	unshare -u sh -c 'hostname other; hostname; uname -n'
	[ "$(hostname)" != other ]
}

case_entering_by_process() {
	mkdir m
	unshare -mu sh -c 'hostname entered; mount -t tmpfs x m; touch m/f; touch ready; while [ -e ready ]; do sleep 0.1; done' &
	while ! [ -e ready ]; do sleep 0.1; done
	nsenter -t $! -u hostname
	nsenter -t $! -m ls "$PWD/m"
	nsenter -t $! -m -u sh -c 'hostname'
	nsenter -t $! -m -u -i -n -C sh -c 'hostname; ls' | grep -c entered
	ls m
	rm ready
	wait
}

case_namespaces_that_stay() {
	mkdir ns
	touch ns/mnt ns/uts
	mount --bind ns ns && mount --make-private ns
	unshare --uts="$PWD/ns/uts" --mount="$PWD/ns/mnt" sh -c 'hostname kept; mkdir -p /tmp/kept; mount -t tmpfs x /tmp/kept; touch /tmp/kept/f'
	findmnt -n -o FSTYPE ns/mnt
	nsenter --uts="$PWD/ns/uts" hostname
	nsenter --mount="$PWD/ns/mnt" ls /tmp/kept
	nsenter --mount="$PWD/ns/mnt" --uts="$PWD/ns/uts" sh -c 'hostname; ls /tmp/kept'
	umount ns/mnt ns/uts ns
	rmdir /tmp/kept
}

case_a_root_of_busybox() {
	unshare -m --root=/small /bin/sh -c 'pwd; ls /; ls /bin; cd ../../..; pwd'
	unshare -m -R /small -w /tmp /bin/sh -c 'pwd'
}

case_pivot_root() {
	unshare -m sh -c '
		mount --bind /small /small && cd /small && pivot_root . old && exec chroot . /bin/sh -c "
			umount -l /old; ls /; ls /old; mount -t proc proc /proc; cat /proc/mounts"' | grep -v '^rootfs'
}

case_pivot_root_onto_itself() {
	unshare -m sh -c '
		mount --bind /small /small && cd /small && pivot_root . . && umount -l . && exec chroot . /bin/sh -c "
			ls /; mount -t proc proc /proc; cat /proc/mounts"' | cut -d " " -f 2-3
}

case_container_without_privilege() {
	$as_user unshare -Urm sh -c '
		mount --rbind /small /small && cd /small && pivot_root . . && umount -l . && exec chroot . /bin/sh -c "
			id -u; ls /; touch /tmp/f; mount -t tmpfs x /tmp && touch /tmp/f && ls /tmp"'
}

case_proc_in_a_user_namespace() {
	mkdir p
	$as_user unshare -Urm mount -t proc proc p
	echo $?
	$as_user unshare -Urm mount -t sysfs sysfs p
	echo $?
	$as_user unshare -Urnm sh -c 'mount -t sysfs sysfs p && ls -d p/kernel'
	echo $?
}

case_lists_of_namespaces() {
	unshare -u sh -c 'lsns -n -t uts -o TYPE,NPROCS -p $$ | grep -c uts'
	lsns -n -t mnt -o TYPE -p $$
	lsns -n -p $$ -o TYPE | sort
}

case_findmnt_waits_for_a_change() {
	mkdir m
	(sleep 1; mount -t tmpfs polled m) &
	timeout 20 findmnt -n --poll=mount --first-only -o ACTION,SOURCE,FSTYPE
	wait
	(sleep 1; umount m) &
	timeout 20 findmnt -n --poll=umount --first-only -o ACTION,SOURCE
	wait
}

case_findmnt_tells_of_mounts() {
	findmnt -n -o TARGET,SOURCE,FSTYPE /proc
	findmnt -n -o TARGET,FSTYPE --target /proc/self/status
	findmnt -n -t proc -o TARGET
	findmnt -n --kernel /nothing
	echo $?
	mountpoint /proc
	mountpoint -q /cases
	echo $?
}
