/*
 * Process 1 of a Linux that hake boots: runs one program and reports as Skerry's monitor does.
 *
 *   /init PROGRAM [ARGUMENT...]        the kernel passes on what follows "--" in its command line
 *
 * Says "@up cores=N ms=M" (M since the kernel began), runs the program, says "@exit code=N" and
 * ends QEMU through port 0xf4. Without a program it ends at once, with 0.
 *
 * The program finds what it finds on Skerry (services/linux/main.c, env.c): it is process 1, of a
 * process namespace of its own here, of no session, with the console as its standard streams; the
 * same file systems are mounted and the same environment is set.
 *
 * Runs on: Linux, as root.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/io.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#define EXIT_PORT     0xf4 /* of isa-debug-exit, as hake sets it up */
#define NOT_FOUND     127
#define NOT_A_PROGRAM 126
#define FAILED        125 /* this program could not do its part */

/* Ends the machine, once the console has shown everything. */
static _Noreturn void end(int code)
{
	printf("@exit code=%d\n", code);
	fflush(stdout);
	tcdrain(STDOUT_FILENO);
	if (iopl(3) == 0)
		outl((unsigned)code, EXIT_PORT);
	reboot(RB_AUTOBOOT); /* QEMU is told not to reboot but to end */
	for (;;)
		pause();
}

static _Noreturn void fail(const char *what)
{
	printf("linux-init: %s: %s\n", what, strerror(errno));
	end(FAILED);
}

static void mount_at(const char *where, const char *type)
{
	mkdir(where, 0755);
	if (mount(type, where, type, 0, "") && errno != EBUSY)
		fail(where);
}

static void open_console(void)
{
	int fd = open("/dev/console", O_RDWR | O_NOCTTY);

	/* The kernel has opened it already, if the archive it unpacked had it. */
	for (int i = STDIN_FILENO; fd >= 0 && i <= STDERR_FILENO; i++)
		dup2(fd, i);
	if (fd > STDERR_FILENO)
		close(fd);
}

static void say_up(void)
{
	struct timespec t;

	clock_gettime(CLOCK_BOOTTIME, &t);
	printf("@up cores=%ld ms=%ld\n", sysconf(_SC_NPROCESSORS_ONLN),
	       t.tv_sec * 1000 + t.tv_nsec / 1000000);
	fflush(stdout);
}

static _Noreturn void run(char **argv)
{
	static char *const environment[] = {
		"HOME=/",
		"TERM=linux",
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
		NULL,
	};

	/* /proc shows the processes of the namespace it was mounted in. */
	if (mount("proc", "/proc", "proc", 0, ""))
		_exit(FAILED);
	execve(argv[0], argv, environment);
	dprintf(STDERR_FILENO, "linux: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT || errno == ENOTDIR ? NOT_FOUND : NOT_A_PROGRAM);
}

int main(int argc, char **argv)
{
	pid_t pid;
	int status;

	mount_at("/dev", "devtmpfs");
	mount_at("/dev/pts", "devpts");
	open_console();
	mkdir("/proc", 0755);
	mount_at("/sys", "sysfs");
	mount_at("/tmp", "tmpfs");
	say_up();
	/* Words that only the kernel's unpacker knows come here, too. */
	while (argc > 1 && argv[1][0] != '/') {
		argv++;
		argc--;
	}
	if (argc < 2)
		end(0);
	if (unshare(CLONE_NEWPID))
		fail("a new process namespace");
	pid = fork();
	if (pid == 0)
		run(argv + 1);
	if (pid < 0 || waitpid(pid, &status, 0) != pid)
		fail("running the program");
	end(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status));
}
