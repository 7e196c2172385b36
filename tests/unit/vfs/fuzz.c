/*
 * Input nobody vouches for, made at random: paths with all flags, mount options, keys at a
 * terminal, archives. Nothing may crash, leak or lose count; the sanitizers and world_end() look.
 *
 * Same seed, same row: SKERRY_SEED and SKERRY_STEPS in the environment choose another.
 */
#include "world.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>

static struct world w;
static struct vfs_task *const t = &w.task;
static u64 seed;

static u64 from_environment(const char *name, u64 otherwise)
{
	const char *value = getenv(name);

	return value ? strtoull(value, NULL, 0) : otherwise;
}

static u64 begin(u64 steps)
{
	seed = from_environment("SKERRY_SEED", 0xf022);
	world_begin(&w);
	return from_environment("SKERRY_STEPS", steps);
}

static u32 pick(u32 n)
{
	return (u32)(unit_random(&seed) >> 33) % n;
}

/* --- Paths --- */

static struct vfs_task *task_of(void *arg, u32 pid)
{
	(void)arg;
	return pid == 1 ? t : NULL;
}

static u32 next_pid(void *arg, struct ns *ns, u32 from)
{
	(void)ns;
	(void)arg;
	return from <= 1;
}

static bool may_read(void *arg, struct vfs_task *reader, u32 pid)
{
	(void)arg;
	(void)reader;
	return pid == 1;
}

static const struct proc_provider provider = {
	.next_pid = next_pid, .task = task_of, .may_read = may_read};

static char *random_path(char *path)
{
	static const char *const parts[] = {"/",    "a",    "b",   "c",      "..",   ".",    "proc",
					    "self", "fd",   "0",   "1",      "cwd",  "root", "dev",
					    "pts",  "ptmx", "tty", "fdinfo", "task", "null", "//",
					    "l",    "\xff", " ",   "m"};
	u32 n = pick(12);

	*path = 0;
	for (u32 i = 0; i < n; i++) {
		strcat(path, parts[pick(ARRAY_SIZE(parts))]);
		if (pick(3))
			strcat(path, "/");
	}
	if (pick(100) == 0)
		memset(path, 'x', 300), path[300] = 0;
	return path;
}

static int random_dirfd(void)
{
	return pick(2) ? AT_FDCWD : (int)pick(12);
}

static void open_something(const char *path)
{
	struct vfs_open_how how = {.flags = unit_random(&seed) & 037777777,
				   .mode = pick(2) ? 0 : pick(07777),
				   .resolve = pick(2) ? 0 : pick(64)};

	/* Nothing here could wait: no fiber runs. */
	how.flags |= O_NONBLOCK;
	if (pick(2))
		vfs_openat(t, random_dirfd(), path, (int)how.flags, (u32)how.mode);
	else
		vfs_openat2(t, random_dirfd(), path, &how);
	if (fd_next(t->files, 12) >= 0)
		vfs_close_range(t, 2, 8 + pick(100), 0);
}

static void change_names(const char *a, const char *b)
{
	switch (pick(9)) {
	case 0:
		vfs_mkdirat(t, random_dirfd(), a, pick(010000));
		break;
	case 1:
		vfs_mknodat(t, random_dirfd(), a, (pick(16) << 12) | pick(010000), pick(1000));
		break;
	case 2:
		vfs_symlinkat(t, b, random_dirfd(), a);
		break;
	case 3:
		vfs_linkat(t, random_dirfd(), a, random_dirfd(), b, pick(0x2000));
		break;
	case 4:
	case 5:
		vfs_unlinkat(t, random_dirfd(), a, pick(2) ? AT_REMOVEDIR : 0);
		break;
	case 6:
		vfs_mount(t, a, b, pick(2) ? "tmpfs" : "proc", pick(2) ? 4096 : 0, "");
		break;
	case 7:
		vfs_umount(t, a, pick(16));
		break;
	default:
		vfs_renameat2(t, random_dirfd(), a, random_dirfd(), b, pick(5));
	}
}

/* The commands that take an address get a good one or a bad one: here a copy does not fault. */
static void fcntl_something(int fd, char *buf)
{
	int cmd = (int)pick(20);
	u64 arg = O_NONBLOCK | pick(100);

	if (cmd >= F_SETOWN_EX && cmd <= F_SETOWN_EX + 2) /* and F_GETOWN_EX, F_GETOWNER_UIDS */
		arg = pick(2) ? (u64)(uintptr_t)buf : 0;
	vfs_fcntl(t, fd, cmd, arg);
}

static void use_something(const char *path)
{
	char buf[512];
	struct vfs_stat st;
	struct vfs_statfs fs;
	struct uio uio;
	int fd = (int)pick(12);

	uio_kernel(&uio, buf, pick(sizeof(buf)));
	switch (pick(12)) {
	case 0:
		vfs_statat(t, random_dirfd(), path, pick(0x8000), &st);
		break;
	case 1:
		vfs_getdents(t, fd, &uio, pick(2));
		break;
	case 2:
		vfs_readlinkat(t, random_dirfd(), path, &uio);
		break;
	case 3:
		vfs_chdir(t, path);
		break;
	case 4:
		vfs_getcwd(t, buf, pick(sizeof(buf)) + 1);
		break;
	case 5:
		vfs_statfs(t, path, &fs);
		break;
	case 6:
		fcntl_something(fd, buf);
		break;
	case 7:
		vfs_pread(t, fd, &uio, pick(10000), 0);
		break;
	case 8:
		vfs_pwrite(t, fd, &uio, pick(10000), 0);
		break;
	case 9:
		vfs_lseek(t, fd, (s64)pick(20000) - 100, pick(6));
		break;
	case 10:
		vfs_fallocate(t, fd, pick(4), pick(20000), pick(20000));
		break;
	default:
		vfs_fchmodat2(t, random_dirfd(), path, pick(010000), pick(0x2000));
	}
}

TEST(random_paths_and_flags_break_nothing)
{
	u64 steps = begin(200000);
	static char a[4096], b[4096];

	mkdir_at(t, "/dev");
	mkdir_at(t, "/proc");
	procfs_set_provider(w.vfs, &provider);
	vfs_mount(t, "dev", "/dev", "devtmpfs", 0, NULL);
	vfs_mount(t, "pts", "/dev/pts", "devpts", 0, NULL);
	vfs_mount(t, "proc", "/proc", "proc", 0, NULL);
	for (u64 i = 0; i < steps; i++) {
		random_path(a);
		random_path(b);
		switch (pick(3)) {
		case 0:
			open_something(a);
			break;
		case 1:
			change_names(a, b);
			break;
		default:
			use_something(a);
		}
		if (i % 5000 == 0)
			dentry_shrink(w.vfs, NULL);
	}
	vfs_chdir(t, "/");
	world_end(&w);
}

/* --- Mount options --- */

TEST(random_mount_options_break_nothing)
{
	static const char *const parts[] = {
		"size=",     "nr_inodes=",  "mode=", "uid=",
		"gid=",      ",",           "=",     "nr_blocks=",
		"1",         "9",           "0",     "k",
		"%",         "g",           "777",   "18446744073709551616",
		"ptmxmode=", "newinstance", "x"};
	static const char *const types[] = {"tmpfs", "devpts", "proc", "sysfs", "devtmpfs"};
	u64 steps = begin(100000), good = 0;
	char options[600];

	mkdir_at(t, "/m");
	for (u64 i = 0; i < steps; i++) {
		u32 n = pick(10);
		int err;

		options[0] = 0;
		for (u32 k = 0; k < n; k++)
			strcat(options, parts[pick(ARRAY_SIZE(parts))]);
		err = vfs_mount(t, "x", "/m", types[pick(ARRAY_SIZE(types))], 0, options);
		CHECK(err == 0 || err == -EINVAL || err == -ENOSPC);
		if (!err) {
			good++;
			CHECK_EQUAL(vfs_umount(t, "/m", 0), 0);
		}
	}
	CHECK(good > 0 && good < steps);
	world_end(&w);
}

/* --- Keys --- */

static struct n_tty ld;
static u64 shown;

static void count_output(void *arg, const u8 *bytes, size_t len)
{
	(void)arg;
	for (size_t i = 0; i < len; i++)
		shown += bytes[i];
}

static void ignore_signal(void *arg, int sig)
{
	(void)arg;
	(void)sig;
}

static void ignore_readable(void *arg)
{
	(void)arg;
}

static const struct n_tty_ops ld_ops = {
	.output = count_output, .signal = ignore_signal, .readable = ignore_readable};

static void change_modes(void)
{
	struct ktermios termios = ld.termios;

	termios.iflag ^= pick(8) ? 0 : (u32)unit_random(&seed);
	termios.oflag ^= pick(8) ? 0 : (u32)unit_random(&seed);
	termios.lflag ^= pick(2) ? ICANON : (u32)unit_random(&seed);
	termios.cc[pick(N_TTY_NCCS)] = (u8)pick(256);
	n_tty_set_termios(&ld, &termios);
}

TEST(random_keys_and_modes_break_nothing)
{
	u64 steps = begin(200000);
	u8 bytes[300];
	bool end;

	n_tty_init(&ld, &ld_ops, NULL);
	for (u64 i = 0; i < steps; i++) {
		size_t len = pick(sizeof(bytes)), got;

		for (size_t k = 0; k < len; k++)
			bytes[k] = (u8)(pick(2) ? pick(32) : pick(256));
		n_tty_input(&ld, bytes, len);
		REQUIRE(ld.head - ld.tail <= N_TTY_BUFFER);
		REQUIRE(n_tty_pending(&ld) <= ld.head - ld.tail);
		if (pick(3) == 0) {
			bool readable = n_tty_readable(&ld, false);

			len = pick(sizeof(bytes) - 1) + 1;
			got = n_tty_read(&ld, bytes, len, &end);
			REQUIRE(got <= len);
			REQUIRE(readable == (got > 0 || end));
		}
		if (pick(20) == 0)
			n_tty_output(&ld, bytes, pick(sizeof(bytes)));
		if (pick(50) == 0)
			change_modes();
		if (pick(500) == 0)
			n_tty_flush_input(&ld);
	}
	world_end(&w);
}

/* --- Archives --- */

static size_t add_entry(u8 *to, const char *name, u32 mode, u32 nlink, const char *data)
{
	size_t namesize = strlen(name) + 1, len = strlen(data), at;

	at = (size_t)sprintf((char *)to,
			     "070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X", 7u, mode,
			     0u, 0u, nlink, 0u, (u32)len, 0u, 0u, 1u, 3u, (u32)namesize, 0u);
	memcpy(to + at, name, namesize);
	at = ROUND_UP(at + namesize, 4ul);
	memcpy(to + at, data, len);
	return ROUND_UP(at + len, 4ul);
}

TEST(random_archives_break_nothing)
{
	static const u8 hex[] = "0123456789ABCDEF";
	static u8 sound[4096], changed[4096];
	u64 steps = begin(20000), good = 0;
	size_t len = 0;
	char message[100];

	memset(sound, 0, sizeof(sound));
	len += add_entry(sound + len, "d", S_IFDIR | 0755, 2, "");
	len += add_entry(sound + len, "d/f", S_IFREG | 0644, 1, "some data");
	len += add_entry(sound + len, "l", S_IFLNK | 0777, 1, "d/../l2");
	len += add_entry(sound + len, "one", S_IFREG | 0644, 2, "");
	len += add_entry(sound + len, "two", S_IFREG | 0644, 2, "linked");
	len += add_entry(sound + len, "dev", S_IFCHR | 0644, 1, "");
	len += add_entry(sound + len, "TRAILER!!!", 0, 1, "");
	for (u64 i = 0; i < steps; i++) {
		memcpy(changed, sound, len);
		for (u32 k = pick(4); k > 0; k--)
			changed[pick((u32)len)] = pick(2) ? hex[pick(16)] : (u8)pick(256);
		message[0] = 0;
		good += !vfs_unpack(t, changed, len, message, sizeof(message));
		CHECK_EQUAL(t->fs->umask, 022);
	}
	CHECK(good > 0);
	world_end(&w);
}
