/* Terminals, by pseudo-terminals: lines, modes, sizes, jobs, hanging up. */
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
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

static char buf[256];

static void set_lflag(tcflag_t off)
{
	struct termios termios;

	CHECK(tcgetattr(slave, &termios) == 0);
	termios.c_lflag &= ~off;
	CHECK(tcsetattr(slave, TCSANOW, &termios) == 0);
}

CASE(line_is_edited_and_echoed)
{
	open_pair();
	type("ab\177c\r");
	CHECK(!strcmp(from(slave), "ac\n"));
	CHECK(!strcmp(from(master), "ab\b \bc\r\n"));
	type("one two\027x\r");
	CHECK(!strcmp(from(slave), "one x\n"));
}

CASE(output_gets_returns_before_newlines)
{
	open_pair();
	CHECK(write(slave, "a\nb\n", 4) == 4);
	CHECK(!strcmp(from(master), "a\r\nb\r\n"));
}

CASE(end_of_file_key_ends_a_read)
{
	open_pair();
	type("abc\004");
	CHECK(!strcmp(from(slave), "abc"));
	type("\004");
	CHECK(read(slave, buf, sizeof(buf)) == 0);
}

CASE(raw_mode_gives_every_key)
{
	struct pollfd p;

	open_pair();
	set_lflag(ICANON | ECHO | ISIG);
	type("\003\004x");
	p = (struct pollfd){slave, POLLIN, 0};
	CHECK(poll(&p, 1, 1000) == 1);
	CHECK(!strcmp(from(slave), "\003\004x"));
}

CASE(window_size_is_kept)
{
	struct winsize size = {24, 80, 0, 0}, got;

	open_pair();
	CHECK(ioctl(master, TIOCSWINSZ, &size) == 0);
	CHECK(ioctl(slave, TIOCGWINSZ, &got) == 0 && got.ws_row == 24 && got.ws_col == 80);
	CHECK(isatty(slave) == 1);
	CHECK_ERROR(ioctl(open("/dev/null", O_RDWR), TIOCGWINSZ, &got), ENOTTY);
}

CASE(interrupt_key_kills_the_foreground)
{
	int status;
	pid_t pid;

	open_pair();
	pid = fork();
	if (pid == 0) {
		setsid();
		if (ioctl(slave, TIOCSCTTY, 0) || tcgetpgrp(slave) != getpid())
			_exit(1);
		write(slave, "!", 1);
		for (;;)
			pause();
	}
	CHECK(!strcmp(from(master), "!"));
	type("\003");
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGINT);
}

CASE(closing_the_master_hangs_up)
{
	int status;
	pid_t pid;

	open_pair();
	pid = fork();
	if (pid == 0) {
		close(master);
		setsid();
		ioctl(slave, TIOCSCTTY, 0);
		write(slave, "!", 1);
		for (;;)
			pause();
	}
	CHECK(!strcmp(from(master), "!"));
	close(master);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGHUP);
	CHECK(read(slave, buf, 1) == 0);
	CHECK_ERROR(write(slave, "x", 1), EIO);
}

CASE(master_is_eio_without_slaves)
{
	open_pair();
	close(slave);
	CHECK_ERROR(read(master, buf, 1), EIO);
}
