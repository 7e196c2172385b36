/* Terminals in detail: modes, counts and times of raw reads, jobs, controlling terminals. */
#include "check.h"
#include "pty.h"
#include "scratch.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

static char buf[8192];

/* Change modes: set and clear bits of the input, output and local flags. */
static void modes(tcflag_t iset, tcflag_t iclear, tcflag_t lset, tcflag_t lclear)
{
	struct termios t;

	CHECK(tcgetattr(slave, &t) == 0);
	t.c_iflag = (t.c_iflag | iset) & ~iclear;
	t.c_lflag = (t.c_lflag | lset) & ~lclear;
	CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
}

static void raw(int min, int tenths)
{
	struct termios t;

	open_pair();
	CHECK(tcgetattr(slave, &t) == 0);
	cfmakeraw(&t);
	t.c_cc[VMIN] = (cc_t)min;
	t.c_cc[VTIME] = (cc_t)tenths;
	CHECK(tcsetattr(slave, TCSANOW, &t) == 0);
}

static bool readable(int fd)
{
	struct pollfd p = {fd, POLLIN, 0};

	return poll(&p, 1, 50) == 1 && (p.revents & POLLIN);
}

static long elapsed_ms(const struct timespec *since)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (now.tv_sec - since->tv_sec) * 1000 + (now.tv_nsec - since->tv_nsec) / 1000000;
}

CASE(new_terminal_has_linuxs_modes)
{
	struct termios t;

	open_pair();
	CHECK(tcgetattr(slave, &t) == 0);
	CHECK(t.c_iflag == (ICRNL | IXON) && t.c_oflag == (OPOST | ONLCR));
	CHECK(t.c_lflag == (ISIG | ICANON | ECHO | ECHOE | ECHOK | ECHOCTL | ECHOKE | IEXTEN));
	CHECK((t.c_cflag & (CSIZE | CREAD)) == (CS8 | CREAD));
	CHECK(t.c_cc[VINTR] == 3 && t.c_cc[VEOF] == 4 && t.c_cc[VERASE] == 127);
	CHECK(t.c_cc[VMIN] == 1 && t.c_cc[VTIME] == 0 && cfgetospeed(&t) == B38400);
}

CASE(raw_read_waits_for_the_minimum)
{
	raw(3, 0);
	type("ab");
	CHECK(!readable(slave));
	type("c");
	CHECK(readable(slave) && !strcmp(from(slave), "abc"));
}

CASE(raw_read_with_nothing_asked_returns_at_once)
{
	raw(0, 0);
	CHECK(read(slave, buf, 10) == 0);
	type("x");
	CHECK(!strcmp(from(slave), "x"));
}

CASE(raw_read_ends_with_time)
{
	struct timespec began;

	raw(0, 2);
	clock_gettime(CLOCK_MONOTONIC, &began);
	CHECK(read(slave, buf, 10) == 0);
	CHECK(elapsed_ms(&began) >= 190);
}

CASE(time_counts_from_the_first_byte_if_there_is_a_minimum)
{
	struct timespec began;

	raw(5, 2);
	type("ab");
	clock_gettime(CLOCK_MONOTONIC, &began);
	CHECK(read(slave, buf, 10) == 2);
	CHECK(elapsed_ms(&began) >= 190);
}

CASE(canonical_read_gives_a_line_at_a_time)
{
	open_pair();
	type("one\ntwo\n");
	CHECK(read(slave, buf, 2) == 2 && !memcmp(buf, "on", 2));
	CHECK(read(slave, buf, 100) == 2 && !memcmp(buf, "e\n", 2));
	CHECK(!strcmp(from(slave), "two\n"));
	type("not yet");
	CHECK(!readable(slave));
}

CASE(nonblocking_reads_are_eagain)
{
	open_pair();
	CHECK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	CHECK_ERROR(read(slave, buf, 10), EAGAIN);
	CHECK(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	CHECK_ERROR(read(master, buf, 10), EAGAIN);
}

CASE(kill_and_word_erase_edit_the_line)
{
	open_pair();
	type("lost\025kept\n");
	CHECK(!strcmp(from(slave), "kept\n"));
	type("one two three\027\027x\n");
	CHECK(!strcmp(from(slave), "one x\n"));
	type("lit\026\003eral\n");
	CHECK(!strcmp(from(slave), "lit\003eral\n"));
}

CASE(control_keys_are_echoed_with_carets)
{
	open_pair();
	type("a\001\n");
	CHECK(!strcmp(from(master), "a^A\r\n"));
	modes(0, 0, 0, ECHOCTL);
	type("\001\n");
	CHECK(!strcmp(from(master), "\001\r\n"));
	modes(0, 0, ECHONL, ECHO);
	type("quiet\n");
	CHECK(!strcmp(from(master), "\r\n"));
}

CASE(utf8_characters_are_erased_whole)
{
	open_pair();
	modes(IUTF8, 0, 0, 0);
	type("a\303\251\177b\n");
	CHECK(!strcmp(from(slave), "ab\n"));
	modes(0, IUTF8, 0, 0);
	type("a\303\251\177\n");
	CHECK(!strcmp(from(slave), "a\303\n"));
}

CASE(input_is_translated_as_told)
{
	open_pair();
	modes(INLCR, ICRNL, 0, ECHO);
	type("a\nb\r");
	usleep(50000);
	modes(0, INLCR, 0, ICANON);
	CHECK(readable(slave) && !strcmp(from(slave), "a\rb\r"));
	modes(IGNCR, 0, 0, 0);
	type("a\rb");
	usleep(50000);
	CHECK(!strcmp(from(slave), "ab"));
	modes(ISTRIP, IGNCR, 0, 0);
	type("\341");
	usleep(50000);
	CHECK(!strcmp(from(slave), "a"));
}

CASE(output_is_translated_as_told)
{
	struct termios t;

	open_pair();
	CHECK(tcgetattr(slave, &t) == 0);
	t.c_oflag = OPOST | OCRNL;
	CHECK(tcsetattr(slave, TCSADRAIN, &t) == 0);
	CHECK(write(slave, "a\rb", 3) == 3 && !strcmp(from(master), "a\nb"));
	t.c_oflag = ONLCR;
	CHECK(tcsetattr(slave, TCSADRAIN, &t) == 0);
	CHECK(write(slave, "a\nb", 3) == 3 && !strcmp(from(master), "a\nb"));
	open_pair(); /* whose column is 0 */
	t.c_oflag = OPOST | XTABS;
	CHECK(tcsetattr(slave, TCSADRAIN, &t) == 0);
	CHECK(write(slave, "a\tb", 3) == 3 && !strcmp(from(master), "a       b"));
}

CASE(output_stops_and_starts_by_keys)
{
	open_pair();
	type("\023");
	usleep(50000);
	CHECK(fcntl(slave, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	CHECK_ERROR(write(slave, "x", 1), EAGAIN);
	type("\021");
	usleep(50000);
	CHECK(write(slave, "x", 1) == 1 && !strcmp(from(master), "x"));
	CHECK(tcflow(slave, TCOOFF) == 0);
	CHECK_ERROR(write(slave, "x", 1), EAGAIN);
	CHECK(tcflow(slave, TCOON) == 0 && write(slave, "y", 1) == 1);
}

CASE(flush_drops_what_waits)
{
	int n;

	open_pair();
	type("typed\n");
	CHECK(readable(slave) && ioctl(slave, FIONREAD, &n) == 0 && n == 6);
	CHECK(tcflush(slave, TCIFLUSH) == 0 && !readable(slave));
	CHECK(ioctl(slave, TIOCOUTQ, &n) == 0);
}

static volatile sig_atomic_t got;

static void note(int sig)
{
	got = sig;
}

CASE(size_changes_are_signalled)
{
	struct winsize size = {30, 100, 1, 2};
	int p[2];
	pid_t pid;
	char c;
	int status;

	open_pair();
	CHECK(pipe(p) == 0);
	pid = fork();
	if (pid == 0) {
		signal(SIGWINCH, note);
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		write(p[1], "r", 1);
		for (int i = 0; i < 100 && !got; i++)
			usleep(20000);
		_exit(got == SIGWINCH ? 0 : 1);
	}
	CHECK(read(p[0], &c, 1) == 1);
	CHECK(ioctl(master, TIOCSWINSZ, &size) == 0);
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* In a child that leads a session with the slave as its terminal. */
static void in_session(void)
{
	setsid();
	if (ioctl(slave, TIOCSCTTY, 0))
		_exit(90);
}

static void read_in_background(void)
{
	int status;
	pid_t pid;

	in_session();
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		read(slave, buf, 1);
		_exit(5);
	}
	setpgid(pid, pid);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		_exit(1);
	_exit(WSTOPSIG(status) == SIGTTIN ? 0 : 2);
}

CASE(reading_in_the_background_stops)
{
	open_pair();
	CHECK(status_of_child(read_in_background) == 0);
}

static void write_in_background(void)
{
	struct termios t;
	int status;
	pid_t pid;

	in_session();
	pid = fork();
	if (pid == 0) {
		setpgid(0, 0);
		if (write(slave, "x", 1) != 1) /* allowed without TOSTOP */
			_exit(5);
		tcgetattr(slave, &t);
		t.c_lflag |= TOSTOP;
		tcsetattr(slave, TCSANOW, &t); /* stops: it changes the terminal */
		_exit(6);
	}
	setpgid(pid, pid);
	if (waitpid(pid, &status, WUNTRACED) != pid || !WIFSTOPPED(status))
		_exit(1);
	_exit(WSTOPSIG(status) == SIGTTOU ? 0 : 2);
}

CASE(changing_the_terminal_in_the_background_stops)
{
	open_pair();
	CHECK(status_of_child(write_in_background) == 0);
}

static void orphan(void)
{
	in_session();
	if (fork() == 0) {
		setpgid(0, 0);
		usleep(50000); /* the leader has gone */
		_exit(0);
	}
	_exit(0);
}

CASE(end_of_the_leader_frees_the_terminal)
{
	open_pair();
	CHECK(status_of_child(orphan) == 0);
	usleep(20000);
	CHECK(status_of_child(in_session) == 0);
}

static void foreground(void)
{
	pid_t pid;

	in_session();
	if (tcgetpgrp(slave) != getpid() || tcgetsid(slave) != getpid())
		_exit(1);
	signal(SIGTTOU, SIG_IGN);
	pid = fork();
	if (pid == 0)
		pause();
	setpgid(pid, pid);
	if (tcsetpgrp(slave, pid) || tcgetpgrp(slave) != pid)
		_exit(2);
	if (tcsetpgrp(slave, 1) != -1 || errno != EPERM)
		_exit(3);
	kill(pid, SIGKILL);
	_exit(0);
}

CASE(foreground_group_is_set_and_read)
{
	open_pair();
	CHECK(status_of_child(foreground) == 0);
	CHECK_ERROR(tcgetpgrp(slave), ENOTTY); /* not our terminal */
}

static void take_and_leave(void)
{
	int tty;

	if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
		_exit(1);
	in_session();
	tty = open("/dev/tty", O_RDWR);
	if (tty < 0 || write(tty, "!", 1) != 1)
		_exit(2);
	signal(SIGHUP, SIG_IGN);
	if (ioctl(tty, TIOCNOTTY))
		_exit(3);
	if (open("/dev/tty", O_RDWR) != -1 || errno != ENXIO)
		_exit(4);
}

CASE(dev_tty_is_the_controlling_terminal)
{
	open_pair();
	setsid();
	CHECK(status_of_child(take_and_leave) == 0);
	CHECK(!strcmp(from(master), "!"));
}

static void open_takes(void)
{
	char name[64];
	int fd;

	setsid();
	ptsname_r(master, name, sizeof(name));
	fd = open(name, O_RDWR | O_NOCTTY);
	if (tcgetsid(fd) != -1)
		_exit(1);
	fd = open(name, O_RDWR);
	_exit(tcgetsid(fd) == getpid() ? 0 : 2);
}

CASE(opening_makes_a_terminal_controlling_unless_told_not_to)
{
	open_pair();
	CHECK(status_of_child(open_takes) == 0);
}

static void quit_key(void)
{
	in_session();
	write(slave, "!", 1);
	pause();
}

CASE(quit_and_stop_keys_signal)
{
	int status;
	pid_t pid;

	open_pair();
	pid = fork();
	if (pid == 0) {
		quit_key();
		_exit(0);
	}
	CHECK(!strcmp(from(master), "!"));
	type("\034");
	CHECK(waitpid(pid, &status, 0) == pid && WIFSIGNALED(status) &&
	      WTERMSIG(status) == SIGQUIT);
}

CASE(keys_are_put_in_by_tiocsti_of_the_administrator)
{
	open_pair();
	CHECK(ioctl(slave, TIOCSTI, "a") == 0 || errno == EIO);
	CHECK(be_user(1000) == 0);
	CHECK(ioctl(slave, TIOCSTI, "a") == -1 && (errno == EPERM || errno == EIO));
}

CASE(packet_mode_tells_kinds)
{
	int on = 1;

	open_pair();
	CHECK(ioctl(master, TIOCPKT, &on) == 0);
	CHECK(write(slave, "data", 4) == 4);
	CHECK(read(master, buf, 100) == 5 && buf[0] == TIOCPKT_DATA && !memcmp(buf + 1, "data", 4));
	CHECK(tcflush(slave, TCIFLUSH) == 0);
	CHECK(read(master, buf, 100) == 1 && (buf[0] & TIOCPKT_FLUSHREAD));
	on = 0;
	CHECK(ioctl(master, TIOCGPKT, &on) == 0 && on == 1);
}

CASE(locked_slave_is_not_opened)
{
	char name[64];
	int locked = 1;

	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(ptsname_r(master, name, sizeof(name)) == 0);
	CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 1);
	CHECK_ERROR(open(name, O_RDWR | O_NOCTTY), EIO);
	CHECK(unlockpt(master) == 0 && open(name, O_RDWR | O_NOCTTY) >= 0);
	close(master);
	CHECK_ERROR(open(name, O_RDWR | O_NOCTTY), ENOENT);
}

CASE(slave_is_opened_by_its_master)
{
	master = posix_openpt(O_RDWR | O_NOCTTY);
	CHECK(unlockpt(master) == 0);
	slave = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY);
	CHECK(slave >= 0 && isatty(slave));
	CHECK(write(slave, "x", 1) == 1 && !strcmp(from(master), "x"));
}

CASE(exclusive_terminal_is_not_opened_again)
{
	char name[64];

	open_pair();
	CHECK(ptsname_r(master, name, sizeof(name)) == 0);
	CHECK(chmod(name, 0666) == 0 && ioctl(slave, TIOCEXCL) == 0);
	CHECK(open(name, O_RDWR | O_NOCTTY) >= 0); /* an administrator may */
	CHECK(be_user(1000) == 0);
	CHECK_ERROR(open(name, O_RDWR | O_NOCTTY), EBUSY);
	CHECK(ioctl(slave, TIOCNXCL) == 0 && open(name, O_RDWR | O_NOCTTY) >= 0);
}

CASE(long_line_is_cut_at_4096)
{
	static char line[5000];

	open_pair();
	modes(0, 0, 0, ECHO);
	memset(line, 'x', sizeof(line));
	CHECK(fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK) == 0);
	CHECK(write(master, line, 4500) > 0);
	usleep(50000);
	CHECK(write(master, "\n", 1) == 1);
	CHECK(read(slave, buf, sizeof(buf)) == 4096 && buf[4095] == '\n');
}
