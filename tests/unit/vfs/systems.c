/*
 * tmpfs, mounts, /proc, /sys, /dev and the initramfs.
 */
#include "world.h"

#include <string.h>
#include <sys/mount.h>

static struct world w;
static struct vfs_task *const t = &w.task;

static int mnt(const char *at, const char *type, u64 flags, const char *options)
{
	return vfs_mount(t, "none", at, type, flags, options);
}

static void begin(void)
{
	world_begin(&w);
	mkdir_at(t, "/m");
	mkdir_at(t, "/n");
}

/* --- tmpfs --- */

TEST(tmpfs_is_full_at_its_size)
{
	static char big[5 * 4096];
	struct vfs_statfs st;
	struct uio uio;
	int fd;

	begin();
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, "size=16k"), 0);
	fd = vfs_openat(t, AT_FDCWD, "/m/f", O_RDWR | O_CREAT, 0600);
	uio_kernel(&uio, big, sizeof(big));
	CHECK_EQUAL(vfs_write(t, fd, &uio), 4 * 4096);
	CHECK_EQUAL(put(t, fd, "x"), -ENOSPC);
	CHECK_EQUAL(vfs_statfs(t, "/m", &st), 0);
	CHECK_EQUAL(st.blocks, 4);
	CHECK_EQUAL(st.bfree, 0);
	CHECK_EQUAL(st.type, VFS_TMPFS_MAGIC);
	vfs_close(t, fd);
	vfs_unlinkat(t, AT_FDCWD, "/m/f", 0);
	dentry_shrink(w.vfs, NULL);
	CHECK_EQUAL(make_file(t, "/m/g", "room again"), 0);
	world_end(&w);
}

TEST(removed_file_gives_its_pages_back_at_once)
{
	s64 before;

	begin();
	before = w.npages;
	make_file(t, "/f", "data");
	CHECK_EQUAL(w.npages, before + 1);
	vfs_unlinkat(t, AT_FDCWD, "/f", 0);
	CHECK_EQUAL(w.npages, before);
	world_end(&w);
}

TEST(tmpfs_is_full_at_its_number_of_inodes)
{
	begin();
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, "nr_inodes=3"), 0);
	CHECK_EQUAL(make_file(t, "/m/a", ""), 0);
	CHECK_EQUAL(vfs_linkat(t, AT_FDCWD, "/m/a", AT_FDCWD, "/m/b", 0), 0);
	CHECK_EQUAL(mkdir_at(t, "/m/c"), -ENOSPC);
	CHECK_EQUAL(vfs_unlinkat(t, AT_FDCWD, "/m/b", 0), 0);
	CHECK_EQUAL(mkdir_at(t, "/m/c"), 0);
	world_end(&w);
}

TEST(tmpfs_options_are_checked_and_shown)
{
	static const char *const bad[] = {"size=",          "size=1x",  "size=99999999999999999999",
					  "mode=8",         "uid=x",    "unknown",
					  "uid=4294967296", "size=1kk", "=",
					  "nr_inodes=-1"};
	begin();
	for (u32 i = 0; i < ARRAY_SIZE(bad); i++)
		CHECK_EQUAL(mnt("/m", "tmpfs", 0, bad[i]), -EINVAL);
	CHECK_EQUAL(mnt("/m", "tmpfs", MS_NOSUID, "size=1m,nr_inodes=1k,mode=700,uid=5,gid=6,"), 0);
	CHECK_EQUAL(mode_of(t, "/m"), S_IFDIR | 0700);
	CHECK_EQUAL(mnt("/n", "proc", 0, NULL), 0);
	CHECK(strstr(contents(t, "/n/filesystems"), "nodev\ttmpfs\n") != NULL);
	world_end(&w);
}

TEST(memory_that_runs_out_is_enomem_and_nothing_breaks)
{
	begin();
	w.max_pages = w.npages;
	CHECK_EQUAL(make_file(t, "/f", "x"), -ENOMEM);
	w.max_pages = INT64_MAX;
	CHECK_EQUAL(make_file(t, "/f", "x"), 0);
	world_end(&w);
}

TEST(very_deep_tree_goes_without_recursion)
{
	begin();
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, "nr_inodes=0"), 0);
	CHECK_EQUAL(vfs_chdir(t, "/m"), 0);
	for (int i = 0; i < 20000; i++) {
		REQUIRE(mkdir_at(t, "d") == 0);
		REQUIRE(vfs_chdir(t, "d") == 0);
	}
	CHECK_EQUAL(vfs_chdir(t, "/"), 0);
	CHECK_EQUAL(vfs_umount(t, "/m", 0), 0);
	world_end(&w);
}

/* --- Mounts --- */

TEST(mount_covers_and_umount_uncovers)
{
	begin();
	make_file(t, "/m/below", "");
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, NULL), 0);
	CHECK_STRING(names_in(t, "/m"), "");
	make_file(t, "/m/above", "");
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, NULL), 0);
	CHECK_STRING(names_in(t, "/m"), "");
	CHECK_EQUAL(vfs_umount(t, "/m", 0), 0);
	CHECK_STRING(names_in(t, "/m"), "above ");
	CHECK_EQUAL(vfs_umount(t, "/m", 0), 0);
	CHECK_STRING(names_in(t, "/m"), "below ");
	CHECK_EQUAL(vfs_umount(t, "/m", 0), -EINVAL);
	world_end(&w);
}

TEST(umount_of_busy_mount_is_ebusy)
{
	int fd;

	begin();
	mnt("/m", "tmpfs", 0, NULL);
	fd = vfs_openat(t, AT_FDCWD, "/m/f", O_RDWR | O_CREAT, 0600);
	CHECK_EQUAL(vfs_umount(t, "/m", 0), -EBUSY);
	CHECK_EQUAL(vfs_umount(t, "/m", MNT_DETACH), 0);
	CHECK_EQUAL(put(t, fd, "still"), 5);
	vfs_close(t, fd);
	world_end(&w);
}

TEST(mount_on_a_detached_mount_is_enoent)
{
	begin();
	mnt("/m", "tmpfs", 0, NULL);
	CHECK_EQUAL(vfs_chdir(t, "/m"), 0);
	CHECK_EQUAL(vfs_umount(t, "/m", MNT_DETACH), 0);
	CHECK_EQUAL(mkdir_at(t, "in"), 0);
	CHECK_EQUAL(mnt("in", "tmpfs", 0, NULL), -ENOENT);
	vfs_chdir(t, "/");
	world_end(&w);
}

TEST(mount_needs_privilege_type_and_place)
{
	begin();
	CHECK_EQUAL(mnt("/m", "nofs", 0, NULL), -ENODEV);
	CHECK_EQUAL(mnt("/none", "tmpfs", 0, NULL), -ENOENT);
	make_file(t, "/f", "");
	CHECK_EQUAL(mnt("/f", "tmpfs", 0, NULL), -ENOTDIR);
	t->cred.caps = 0;
	CHECK_EQUAL(mnt("/m", "tmpfs", 0, NULL), -EPERM);
	CHECK_EQUAL(vfs_umount(t, "/m", 0), -EPERM);
	t->cred.caps = UINT64_MAX;
	CHECK_EQUAL(vfs_umount(t, "/m", 0), -EINVAL);
	world_end(&w);
}

TEST(readonly_mount_is_erofs)
{
	begin();
	mnt("/m", "tmpfs", 0, NULL);
	make_file(t, "/m/f", "x");
	CHECK_EQUAL(mnt("/m", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL), 0);
	CHECK_EQUAL(make_file(t, "/m/f", "y"), -EROFS);
	CHECK_EQUAL(make_file(t, "/m/g", "y"), -EROFS);
	CHECK_EQUAL(mkdir_at(t, "/m/d"), -EROFS);
	CHECK_EQUAL(vfs_unlinkat(t, AT_FDCWD, "/m/f", 0), -EROFS);
	CHECK_EQUAL(vfs_fchmodat2(t, AT_FDCWD, "/m/f", 0, 0), -EROFS);
	CHECK_STRING(contents(t, "/m/f"), "x");
	world_end(&w);
}

TEST(nodev_noexec_and_nosymfollow_are_kept)
{
	struct file *exe;

	begin();
	CHECK_EQUAL(mnt("/m", "tmpfs", MS_NODEV | MS_NOEXEC | 256, NULL), 0);
	vfs_mknodat(t, AT_FDCWD, "/m/null", S_IFCHR | 0666, VFS_DEV(1, 3));
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/m/null", O_RDONLY, 0), -EACCES);
	make_file(t, "/m/x", "");
	vfs_fchmodat2(t, AT_FDCWD, "/m/x", 0755, 0);
	CHECK_EQUAL(vfs_open_exec(t, AT_FDCWD, "/m/x", 0, &exe), -EACCES);
	vfs_symlinkat(t, "x", AT_FDCWD, "/m/l");
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/m/l", O_RDONLY, 0), -ELOOP);
	world_end(&w);
}

TEST(bind_mount_shows_the_same_files)
{
	begin();
	make_file(t, "/m/f", "one");
	CHECK_EQUAL(vfs_mount(t, "/m", "/n", NULL, MS_BIND, NULL), 0);
	CHECK_STRING(contents(t, "/n/f"), "one");
	make_file(t, "/n/f", "two");
	CHECK_STRING(contents(t, "/m/f"), "two");
	CHECK_EQUAL(vfs_chdir(t, "/n/.."), 0);
	CHECK_EQUAL(vfs_umount(t, "/n", 0), 0);
	world_end(&w);
}

TEST(move_of_a_mount_into_itself_is_eloop)
{
	begin();
	mnt("/m", "tmpfs", 0, NULL);
	mkdir_at(t, "/m/in");
	CHECK_EQUAL(vfs_mount(t, "/m", "/m/in", NULL, MS_MOVE, NULL), -ELOOP);
	CHECK_EQUAL(vfs_mount(t, "/m", "/n", NULL, MS_MOVE, NULL), 0);
	CHECK_STRING(names_in(t, "/n"), "in ");
	CHECK_STRING(names_in(t, "/m"), "");
	world_end(&w);
}

/* --- /proc and /sys --- */

static struct vfs_task *task_of(void *arg, u32 pid)
{
	(void)arg;
	return pid == 1 ? t : NULL;
}

static u32 next_pid(void *arg, struct ns *ns, u32 from)
{
	(void)ns;
	(void)arg;
	return from <= 1 ? 1 : 0;
}

static bool may_read(void *arg, struct vfs_task *reader, u32 pid)
{
	(void)arg;
	(void)pid;
	return reader->cred.fsuid == 0;
}

static int show_stat(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)arg;
	(void)reader;
	text_printf(out, "%u (init) S", pid);
	return 0;
}

static char host_name[32] = "skerry";

static int show_name(void *arg, struct vfs_task *reader, u32 pid, struct text *out)
{
	(void)reader;
	(void)pid;
	text_printf(out, "%s\n", (char *)arg);
	return 0;
}

static int store_name(void *arg, struct vfs_task *writer, u32 pid, const char *text, size_t len)
{
	(void)writer;
	(void)pid;
	if (len >= sizeof(host_name))
		return -EINVAL;
	strcpy(arg, text);
	return 0;
}

static const struct proc_entry process_entries[] = {
	{.name = "stat", .mode = 0444, .show = show_stat}};
static const struct proc_entry global_entries[] = {{.name = "sys/kernel/hostname",
						    .mode = 0644,
						    .show = show_name,
						    .store = store_name,
						    .arg = host_name}};
static const struct proc_provider provider = {.next_pid = next_pid,
					      .task = task_of,
					      .may_read = may_read,
					      .entries = process_entries,
					      .nentries = 1};

static void begin_proc(void)
{
	begin();
	mkdir_at(t, "/proc");
	CHECK_EQUAL(procfs_set_provider(w.vfs, &provider), 0);
	CHECK_EQUAL(procfs_add(w.vfs, global_entries, 1), 0);
	CHECK_EQUAL(mnt("/proc", "proc", 0, NULL), 0);
}

static const char *link_of(const char *path)
{
	static char buf[100];
	struct uio uio;
	s64 n;

	uio_kernel(&uio, buf, sizeof(buf) - 1);
	n = vfs_readlinkat(t, AT_FDCWD, path, &uio);
	buf[MAX(n, 0)] = 0;
	return buf;
}

TEST(proc_lists_processes_and_their_files)
{
	begin_proc();
	CHECK_STRING(names_in(t, "/proc"), "1 filesystems mounts self sys thread-self ");
	CHECK_STRING(names_in(t, "/proc/1"), "cwd fd fdinfo gid_map mountinfo mounts mountstats ns "
					     "root setgroups stat task uid_map ");
	CHECK_STRING(contents(t, "/proc/self/stat"), "1 (init) S");
	CHECK_STRING(contents(t, "/proc/1/task/1/stat"), "1 (init) S");
	CHECK_STRING(link_of("/proc/self"), "1");
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/proc/2/stat", O_RDONLY, 0), -ENOENT);
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/proc/01/stat", O_RDONLY, 0), -ENOENT);
	CHECK_EQUAL(make_file(t, "/proc/new", ""), -ENOENT);
	world_end(&w);
}

TEST(proc_sys_is_read_and_written)
{
	begin_proc();
	strcpy(host_name, "skerry");
	CHECK_STRING(contents(t, "/proc/sys/kernel/hostname"), "skerry\n");
	CHECK_EQUAL(make_file(t, "/proc/sys/kernel/hostname", "island"), 0);
	CHECK_STRING(contents(t, "/proc/sys/kernel/hostname"), "island\n");
	CHECK_EQUAL(mode_of(t, "/proc/sys/kernel"), S_IFDIR | 0555);
	CHECK_EQUAL(procfs_add(w.vfs, global_entries, 1), -EEXIST);
	world_end(&w);
}

TEST(proc_fd_leads_to_open_files_even_removed_ones)
{
	int fd, p[2];

	begin_proc();
	fd = vfs_openat(t, AT_FDCWD, "/f", O_RDWR | O_CREAT, 0600);
	put(t, fd, "found");
	CHECK_STRING(link_of("/proc/self/fd/0"), "/f");
	vfs_openat(t, AT_FDCWD, "/f", O_RDONLY, 0);
	CHECK_EQUAL(mode_of(t, "/proc/self/fd/1"), S_IFLNK | 0500);
	vfs_close(t, 1);
	CHECK_EQUAL(mode_of(t, "/proc/self/fd/0"), S_IFLNK | 0700);
	vfs_unlinkat(t, AT_FDCWD, "/f", 0);
	CHECK_STRING(link_of("/proc/self/fd/0"), "/f (deleted)");
	CHECK_STRING(contents(t, "/proc/self/fd/0"), "found");
	CHECK_STRING(contents(t, "/proc/self/fdinfo/0"),
		     "pos:\t5\nflags:\t0100002\nmnt_id:\t2\nino:\t5\n");
	vfs_pipe2(t, p, 0);
	CHECK(strncmp(link_of("/proc/self/fd/1"), "pipe:[", 6) == 0);
	CHECK_EQUAL(put(t, p[1], "piped"), 5);
	vfs_close(t, p[1]);
	CHECK_STRING(contents(t, "/proc/self/fd/1"), "piped");
	CHECK_STRING(names_in(t, "/proc/self/fd"), "0 1 2 ");
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/proc/self/fd/9", O_RDONLY, 0), -ENOENT);
	world_end(&w);
}

TEST(proc_of_others_is_closed)
{
	struct vfs_task user;

	begin_proc();
	world_task(&w, &user, 5, 1000);
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/proc/1/cwd", O_RDONLY, 0), -EACCES);
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/proc/1/fd", O_RDONLY, 0), -EACCES);
	CHECK_STRING(contents(&user, "/proc/1/stat"), "1 (init) S");
	/* Who may search every folder still may not look into every process. */
	vfs_openat(t, AT_FDCWD, "/m", O_RDONLY, 0);
	user.cred.caps = 1ul << VFS_CAP_DAC_READ_SEARCH;
	CHECK_EQUAL(vfs_openat(&user, AT_FDCWD, "/proc/1/fd/0", O_RDONLY, 0), -EACCES);
	CHECK_STRING(names_in(&user, "/proc/1/fd"), "");
	world_task_end(&user);
	world_end(&w);
}

TEST(magic_links_obey_openat2)
{
	struct vfs_open_how how = {.flags = O_RDONLY, .resolve = RESOLVE_NO_MAGICLINKS};

	begin_proc();
	CHECK_EQUAL(vfs_openat2(t, AT_FDCWD, "/proc/self/root", &how), -ELOOP);
	CHECK(vfs_openat2(t, AT_FDCWD, "/proc/self/stat", &how) >= 0);
	how.resolve = RESOLVE_IN_ROOT;
	CHECK_EQUAL(vfs_openat2(t, AT_FDCWD, "/proc/self/root", &how), -EXDEV);
	CHECK_STRING(link_of("/proc/self/cwd"), "/");
	world_end(&w);
}

TEST(mounts_and_mountinfo_show_the_tree)
{
	begin_proc();
	CHECK_EQUAL(vfs_mount(t, "my tmp", "/m", "tmpfs", MS_NOSUID, "size=64k"), 0);
	CHECK_STRING(contents(t, "/proc/mounts"),
		     "rootfs / rootfs rw,mode=755,inode64 0 0\n"
		     "none /proc proc rw,relatime 0 0\n"
		     "my\\040tmp /m tmpfs rw,nosuid,relatime,size=64k,inode64 0 0\n");
	CHECK(strstr(contents(t, "/proc/self/mountinfo"),
		     " / /m rw,nosuid,relatime - tmpfs my\\040tmp rw,size=64k,inode64\n") != NULL);
	world_end(&w);
}

TEST(sysfs_shows_what_was_added)
{
	static const struct proc_entry online[] = {{.name = "devices/system/cpu/online",
						    .mode = 0444,
						    .show = show_name,
						    .arg = "0-3"}};

	begin();
	CHECK_EQUAL(sysfs_add(w.vfs, online, 1), 0);
	CHECK_EQUAL(mnt("/m", "sysfs", 0, NULL), 0);
	CHECK_STRING(contents(t, "/m/devices/system/cpu/online"), "0-3\n");
	CHECK_EQUAL(make_file(t, "/m/devices/system/cpu/online", "x"), -EIO);
	CHECK_EQUAL(mkdir_at(t, "/m/kernel/x"), -EPERM);
	world_end(&w);
}

/* --- Devices --- */

TEST(devices_without_hardware)
{
	char buf[8] = "xxxxxxx";
	int fd;

	begin();
	CHECK_EQUAL(mnt("/m", "devtmpfs", 0, NULL), 0);
	fd = vfs_openat(t, AT_FDCWD, "/m/null", O_RDWR, 0);
	CHECK_EQUAL(put(t, fd, "gone"), 4);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), 0);
	fd = vfs_openat(t, AT_FDCWD, "/m/zero", O_RDWR, 0);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), 7);
	CHECK_EQUAL(buf[6], 0);
	fd = vfs_openat(t, AT_FDCWD, "/m/full", O_RDWR, 0);
	CHECK_EQUAL(put(t, fd, "x"), -ENOSPC);
	fd = vfs_openat(t, AT_FDCWD, "/m/urandom", O_RDWR, 0);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), 7);
	vfs_mknodat(t, AT_FDCWD, "/m/odd", S_IFCHR | 0666, VFS_DEV(99, 1));
	CHECK_EQUAL(vfs_openat(t, AT_FDCWD, "/m/odd", O_RDONLY, 0), -ENXIO);
	CHECK_EQUAL(mnt("/n", "devtmpfs", 0, NULL), 0);
	CHECK_EQUAL(mode_of(t, "/n/odd"), S_IFCHR | 0644);
	world_end(&w);
}
