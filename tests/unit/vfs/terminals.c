/*
 * Line discipline, serial console, pseudo-terminals, jobs: termios(3), tty(4), pty(7).
 */
#include "world.h"

#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <termios.h>

/* --- The line discipline alone --- */

static struct n_tty ld;
static char shown[8192];
static int signalled;
static u32 told; /* readable() calls */

static void ld_output(void *arg, const u8 *bytes, size_t len)
{
	(void)arg;
	strncat(shown, (const char *)bytes, len);
}

static void ld_signal(void *arg, int sig)
{
	(void)arg;
	signalled = sig;
}

static void ld_readable(void *arg)
{
	(void)arg;
	told++;
}

static const struct n_tty_ops ops = {
	.output = ld_output, .signal = ld_signal, .readable = ld_readable};

static void begin_ld(void)
{
	n_tty_init(&ld, &ops, NULL);
	shown[0] = 0;
	signalled = 0;
	told = 0;
}

static void type(const char *keys)
{
	n_tty_input(&ld, (const u8 *)keys, strlen(keys));
}

static const char *line(void)
{
	static char buf[5000];
	bool end;

	buf[n_tty_read(&ld, (u8 *)buf, sizeof(buf) - 1, &end)] = 0;
	return buf;
}

static void set_lflag(u32 off, u32 on)
{
	struct ktermios termios = ld.termios;

	termios.lflag = (termios.lflag & ~off) | on;
	n_tty_set_termios(&ld, &termios);
}

TEST(line_is_read_when_it_ends)
{
	begin_ld();
	type("hel");
	CHECK(!n_tty_readable(&ld, true));
	type("lo\rmore");
	CHECK(n_tty_readable(&ld, true));
	CHECK_STRING(line(), "hello\n");
	CHECK(!n_tty_readable(&ld, true));
	CHECK_STRING(shown, "hello\r\nmore");
}

TEST(long_line_is_read_in_pieces)
{
	u8 buf[4];
	bool end;

	begin_ld();
	type("abcdef\n");
	CHECK_EQUAL(n_tty_read(&ld, buf, 4, &end), 4);
	CHECK(!end);
	CHECK_EQUAL(n_tty_read(&ld, buf, 4, &end), 3);
	CHECK(end);
}

TEST(erase_takes_a_character_back)
{
	begin_ld();
	type("ab\177c\n");
	CHECK_STRING(line(), "ac\n");
	CHECK_STRING(shown, "ab\b \bc\r\n");
	shown[0] = 0;
	type("\177x\001\177\n");
	CHECK_STRING(line(), "x\n");
	CHECK_STRING(shown, "x^A\b \b\b \b\r\n");
}

TEST(erase_takes_whole_utf8_characters)
{
	begin_ld();
	ld.termios.iflag |= IUTF8;
	type("\303\244\342\202\254\177\n");
	CHECK_STRING(line(), "\303\244\n");
	CHECK_STRING(shown, "\303\244\342\202\254\b \b\r\n");
}

TEST(erase_of_a_tab_goes_back_to_where_it_began)
{
	begin_ld();
	type("ab\t\177\n");
	CHECK_STRING(line(), "ab\n");
	CHECK_STRING(shown, "ab\t\b\b\b\b\b\b\r\n");
}

TEST(word_erase_and_kill)
{
	begin_ld();
	type("one two  \027x\n");
	CHECK_STRING(line(), "one x\n");
	shown[0] = 0;
	type("abc\025d\n");
	CHECK_STRING(line(), "d\n");
	CHECK_STRING(shown, "abc\b \b\b \b\b \bd\r\n");
	shown[0] = 0;
	set_lflag(ECHOKE, 0);
	type("abc\025d\n");
	CHECK_STRING(shown, "abc^U\r\nd\r\n");
	line();
	type("\177\027\025");
	CHECK_STRING(line(), "");
}

TEST(control_characters_are_echoed_as_such)
{
	begin_ld();
	type("\001\n");
	CHECK_STRING(shown, "^A\r\n");
	CHECK_STRING(line(), "\001\n");
	set_lflag(ECHO, 0);
	shown[0] = 0;
	type("secret\n");
	CHECK_STRING(shown, "");
	set_lflag(0, ECHONL);
	type("x\n");
	CHECK_STRING(shown, "\r\n");
}

TEST(end_of_file_ends_a_line_or_the_file)
{
	u8 buf[16];
	bool end;

	begin_ld();
	type("abc\004");
	CHECK_EQUAL(n_tty_read(&ld, buf, sizeof(buf), &end), 3);
	type("\004");
	CHECK(n_tty_readable(&ld, true));
	CHECK_EQUAL(n_tty_read(&ld, buf, sizeof(buf), &end), 0);
	CHECK(end);
	type("abc\004");
	CHECK_EQUAL(n_tty_read(&ld, buf, 3, &end), 3);
	CHECK(!n_tty_readable(&ld, true));
	CHECK_STRING(shown, "abcabc");
}

TEST(next_character_is_quoted)
{
	begin_ld();
	type("\026\003\026\177\n");
	CHECK_EQUAL(signalled, 0);
	CHECK_STRING(line(), "\003\177\n");
	CHECK_STRING(shown, "^\b^C^\b^?\r\n");
}

TEST(keys_make_signals_and_flush)
{
	begin_ld();
	type("abc\003");
	CHECK_EQUAL(signalled, SIGINT);
	CHECK_STRING(shown, "abc^C");
	type("\n");
	CHECK_STRING(line(), "\n");
	type("\034");
	CHECK_EQUAL(signalled, SIGQUIT);
	type("\032");
	CHECK_EQUAL(signalled, SIGTSTP);
	set_lflag(ISIG, 0);
	signalled = 0;
	type("\003\n");
	CHECK_EQUAL(signalled, 0);
	CHECK_STRING(line(), "\003\n");
	set_lflag(0, ISIG | NOFLSH);
	type("kept\003\n");
	CHECK_STRING(line(), "kept\n");
}

TEST(raw_mode_gives_bytes_as_they_come)
{
	begin_ld();
	set_lflag(ICANON | ECHO | ISIG, 0);
	type("a\177\003\004");
	CHECK(n_tty_readable(&ld, true));
	CHECK_STRING(line(), "a\177\003\004");
	CHECK_STRING(shown, "");
	ld.termios.cc[VMIN] = 3;
	type("ab");
	CHECK(!n_tty_readable(&ld, true));
	CHECK(n_tty_readable(&ld, false));
	type("c");
	CHECK(n_tty_readable(&ld, true));
}

TEST(half_a_line_can_be_read_after_the_switch_to_raw)
{
	begin_ld();
	type("half");
	set_lflag(ICANON, 0);
	CHECK_STRING(line(), "half");
	type("raw");
	set_lflag(0, ICANON);
	CHECK_STRING(line(), "raw");
}

TEST(line_of_more_than_4096_bytes_loses_its_end_but_not_the_newline)
{
	static char keys[5000];
	const char *got;

	begin_ld();
	set_lflag(ECHO, 0);
	memset(keys, 'x', sizeof(keys) - 1);
	type(keys);
	type("\n");
	got = line();
	CHECK_EQUAL(strlen(got), 4096);
	CHECK_EQUAL(got[4095], '\n');
	CHECK_EQUAL(n_tty_room(&ld), 4096);
}

TEST(output_processing_of_newlines_and_tabs)
{
	begin_ld();
	n_tty_output(&ld, (const u8 *)"a\tb\n", 4);
	CHECK_STRING(shown, "a\tb\r\n");
	CHECK_EQUAL(ld.column, 0);
	shown[0] = 0;
	ld.termios.oflag |= XTABS;
	n_tty_output(&ld, (const u8 *)"ab\tc", 4);
	CHECK_STRING(shown, "ab      c");
	shown[0] = 0;
	ld.termios.oflag &= ~(u32)OPOST;
	n_tty_output(&ld, (const u8 *)"\n", 1);
	CHECK_STRING(shown, "\n");
}

TEST(stop_and_start_characters_are_not_input)
{
	begin_ld();
	type("a\023b");
	CHECK(ld.stopped);
	type("\021c\n");
	CHECK(!ld.stopped);
	CHECK_STRING(line(), "abc\n");
}

/* --- Terminals --- */

static struct world w;
static struct vfs_task *const t = &w.task;
static struct tty *tty;
static char sent[8192];
static size_t driver_room;

static size_t driver_write(void *arg, const u8 *bytes, size_t len)
{
	(void)arg;
	strncat(sent, (const char *)bytes, len);
	driver_room -= len;
	return len;
}

static size_t room_of_driver(void *arg)
{
	(void)arg;
	return driver_room;
}

static const struct tty_driver driver = {
	.name = "test", .write = driver_write, .room = room_of_driver};

static char buf[64];
static s64 result;

static void begin(void)
{
	world_begin(&w);
	mkdir_at(t, "/dev");
	CHECK_EQUAL(vfs_mount(t, "dev", "/dev", "devtmpfs", 0, NULL), 0);
	CHECK_EQUAL(vfs_mount(t, "pts", "/dev/pts", "devpts", 0, "gid=5,mode=620,ptmxmode=666"), 0);
	tty = tty_new_serial(w.vfs, 0, &driver, NULL);
	tty_set_console(w.vfs, tty);
	sent[0] = 0;
	driver_room = 4096;
	result = 99;
}

static int op(const char *path, int flags)
{
	return vfs_openat(t, AT_FDCWD, path, flags, 0);
}

static void keys(const char *s)
{
	tty_input(tty, (const u8 *)s, strlen(s));
}

static void read_fd(void *arg)
{
	result = get(t, *(int *)arg, buf, sizeof(buf));
}

TEST(console_read_waits_for_a_line)
{
	struct world_fiber f;
	int fd;

	begin();
	fd = op("/dev/console", O_RDWR);
	world_start(&w, &f, read_fd, &fd);
	world_run(&w);
	keys("hi");
	world_run(&w);
	CHECK(!f.ended);
	keys("\r");
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(result, 3);
	CHECK_STRING(buf, "hi\n");
	CHECK_EQUAL(put(t, fd, "out\n"), 4);
	CHECK_STRING(sent, "hi\r\nout\r\n");
	CHECK(t->ctty == NULL);
	world_end(&w);
}

TEST(session_leader_gets_its_terminal_by_opening_it)
{
	begin();
	CHECK_EQUAL(op("/dev/tty", O_RDWR), -ENXIO);
	op("/dev/ttyS0", O_RDWR | O_NOCTTY);
	CHECK(t->ctty == NULL);
	op("/dev/ttyS0", O_RDWR);
	CHECK(t->ctty == tty);
	CHECK_EQUAL(tty_pgrp(tty), 1);
	CHECK(op("/dev/tty", O_RDWR) >= 0);
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCNOTTY, 0), 0);
	CHECK(t->ctty == NULL);
	CHECK_EQUAL(w.group_signal, SIGCONT);
	world_end(&w);
}

TEST(signal_keys_reach_the_foreground_group)
{
	int pgrp = 77;

	begin();
	op("/dev/ttyS0", O_RDWR);
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCSPGRP, (u64)&pgrp), 0);
	keys("\003");
	CHECK_EQUAL(w.group, 77);
	CHECK_EQUAL(w.group_signal, SIGINT);
	world_end(&w);
}

TEST(background_job_that_reads_is_stopped)
{
	int pgrp = 77;

	begin();
	op("/dev/ttyS0", O_RDWR);
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCSPGRP, (u64)&pgrp), 0);
	CHECK_EQUAL(get(t, 0, buf, sizeof(buf)), -ERESTARTSYS);
	CHECK_EQUAL(w.group_signal, SIGTTIN);
	CHECK_EQUAL(w.group, 1);
	w.ignores = true;
	CHECK_EQUAL(get(t, 0, buf, sizeof(buf)), -EIO);
	w.ignores = false;
	w.orphaned = 1;
	CHECK_EQUAL(get(t, 0, buf, sizeof(buf)), -EIO);
	CHECK_EQUAL(put(t, 0, "may write"), 9);
	world_end(&w);
}

TEST(background_job_that_sets_modes_is_stopped)
{
	struct ktermios termios = {0};
	int pgrp = 77;

	begin();
	op("/dev/ttyS0", O_RDWR);
	vfs_ioctl(t, 0, TIOCSPGRP, (u64)&pgrp);
	CHECK_EQUAL(vfs_ioctl(t, 0, TCGETS, (u64)&termios), 0);
	CHECK_EQUAL(vfs_ioctl(t, 0, TCSETS, (u64)&termios), -ERESTARTSYS);
	CHECK_EQUAL(w.group_signal, SIGTTOU);
	termios.lflag |= TOSTOP;
	w.ignores = true;
	CHECK_EQUAL(vfs_ioctl(t, 0, TCSETS, (u64)&termios), 0);
	w.ignores = false;
	CHECK_EQUAL(put(t, 0, "x"), -ERESTARTSYS);
	world_end(&w);
}

TEST(vtime_ends_a_raw_read)
{
	struct world_fiber f;
	struct ktermios termios = {0};
	int fd;
	u64 before;

	begin();
	fd = op("/dev/console", O_RDWR);
	vfs_ioctl(t, fd, TCGETS, (u64)&termios);
	termios.lflag &= ~(u32)ICANON;
	termios.cc[VMIN] = 0;
	termios.cc[VTIME] = 5;
	vfs_ioctl(t, fd, TCSETS, (u64)&termios);
	before = w.now_ns;
	world_start(&w, &f, read_fd, &fd);
	world_run(&w);
	CHECK(f.ended);
	CHECK_EQUAL(result, 0);
	CHECK(w.now_ns - before >= 500000000);
	termios.cc[VTIME] = 0;
	vfs_ioctl(t, fd, TCSETS, (u64)&termios);
	CHECK_EQUAL(get(t, fd, buf, sizeof(buf)), 0);
	world_end(&w);
}

TEST(slow_driver_makes_writers_wait)
{
	struct file *file;
	int fd;

	begin();
	fd = op("/dev/console", O_RDWR | O_NONBLOCK);
	driver_room = 0;
	for (int i = 0; i < 1000 && put(t, fd, "0123456789") == 10; i++)
		;
	CHECK_EQUAL(put(t, fd, "x"), -EAGAIN);
	file = fd_get(t, fd);
	CHECK(!(file_poll(file, NULL) & POLLOUT));
	driver_room = 4000;
	tty_writable(tty);
	CHECK(file_poll(file, NULL) & POLLOUT);
	CHECK_EQUAL(put(t, fd, "x"), 1);
	file_put(file);
	world_end(&w);
}

TEST(window_size_change_is_told)
{
	struct winsize_abi size = {24, 80, 0, 0}, got = {0};

	begin();
	op("/dev/ttyS0", O_RDWR);
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCSWINSZ, (u64)&size), 0);
	CHECK_EQUAL(w.group_signal, SIGWINCH);
	w.group_signal = 0;
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCSWINSZ, (u64)&size), 0);
	CHECK_EQUAL(w.group_signal, 0);
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCGWINSZ, (u64)&got), 0);
	CHECK_EQUAL(got.cols, 80);
	CHECK_EQUAL(vfs_ioctl(t, 0, TIOCGWINSZ, 0), -EFAULT);
	CHECK_EQUAL(vfs_ioctl(t, 0, 0x1234, 0), -ENOTTY);
	world_end(&w);
}

TEST(hangup_ends_reads_and_tells_the_session)
{
	begin();
	op("/dev/ttyS0", O_RDWR);
	tty_hangup(tty);
	CHECK_EQUAL(w.group_signal, SIGCONT);
	CHECK(t->ctty == NULL);
	CHECK_EQUAL(get(t, 0, buf, sizeof(buf)), 0);
	CHECK_EQUAL(put(t, 0, "x"), -EIO);
	world_end(&w);
}

/* --- Pseudo-terminals --- */

static int master, slave;

static void begin_pty(void)
{
	int zero = 0, n = -1;
	char path[32];

	begin();
	master = op("/dev/ptmx", O_RDWR | O_NOCTTY);
	REQUIRE(master >= 0);
	CHECK_EQUAL(vfs_ioctl(t, master, TIOCGPTN, (u64)&n), 0);
	snprintf(path, sizeof(path), "/dev/pts/%d", n);
	CHECK_EQUAL(op(path, O_RDWR), -EIO); /* still locked */
	CHECK_EQUAL(vfs_ioctl(t, master, TIOCSPTLCK, (u64)&zero), 0);
	slave = op(path, O_RDWR | O_NOCTTY);
	REQUIRE(slave >= 0);
}

TEST(pty_carries_both_ways)
{
	begin_pty();
	CHECK_STRING(names_in(t, "/dev/pts"), "0 ptmx ");
	CHECK_EQUAL(put(t, slave, "prompt\n"), 7);
	CHECK_EQUAL(get(t, master, buf, sizeof(buf)), 8);
	CHECK_STRING(buf, "prompt\r\n");
	CHECK_EQUAL(put(t, master, "ls\r"), 3);
	CHECK_EQUAL(get(t, slave, buf, sizeof(buf)), 3);
	CHECK_STRING(buf, "ls\n");
	CHECK_EQUAL(get(t, master, buf, sizeof(buf)), 4);
	CHECK_STRING(buf, "ls\r\n");
	world_end(&w);
}

TEST(master_sees_the_last_slave_close)
{
	begin_pty();
	vfs_close(t, slave);
	CHECK_EQUAL(get(t, master, buf, sizeof(buf)), -EIO);
	world_end(&w);
}

TEST(slave_sees_the_master_close)
{
	begin_pty();
	CHECK_EQUAL(vfs_ioctl(t, slave, TIOCSCTTY, 0), 0);
	vfs_close(t, master);
	CHECK_EQUAL(get(t, slave, buf, sizeof(buf)), 0);
	CHECK_EQUAL(put(t, slave, "x"), -EIO);
	CHECK_EQUAL(w.group_signal, SIGCONT);
	CHECK_STRING(names_in(t, "/dev/pts"), "ptmx ");
	world_end(&w);
}

TEST(line_typed_into_a_full_pty_waits)
{
	static char many[5000];
	struct uio uio;

	begin_pty();
	vfs_fcntl(t, master, F_SETFL, O_NONBLOCK);
	memset(many, '\n', sizeof(many));
	uio_kernel(&uio, many, sizeof(many));
	CHECK_EQUAL(vfs_write(t, master, &uio), 4096);
	CHECK_EQUAL(get(t, slave, buf, sizeof(buf)), 1);
	CHECK_EQUAL(put(t, master, "xy"), 1);
	world_end(&w);
}
