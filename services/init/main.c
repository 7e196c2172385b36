/*
 * Process 1, for roots that have no /init of their own (services/linux/boot.c).
 *
 *   init                           does what /etc/inittab says, until the machine ends
 *   init --run PROGRAM [ARG...]    runs one program, and ends with its status
 *
 * Whoever loses his parent becomes our child, and is reaped. Signals ask for things, by the numbers
 * that busybox's halt, poweroff and reboot send:
 *
 *   SIGUSR1  halt    SIGUSR2  power off    SIGTERM  restart    SIGINT  Ctrl-Alt-Del
 *   SIGHUP   read /etc/inittab again       SIGQUIT  give way to what it names for "restart"
 *
 * All of them are blocked but while process 1 waits for one: nothing is interrupted, none is lost.
 *
 * Runs on: Skerry, as a static Linux program; any Linux would do.
 */
#include "init.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define USUAL_PATH     "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define RESPAWN_WAIT_S 1 /* for a program that ends at once, again and again */
#define END_WAIT_S     2 /* that programs have between SIGTERM and SIGKILL */

static sigset_t asked; /* the signals that process 1 waits for */

/* ---- children ---- */

static void child_ended(pid_t pid)
{
	for (struct entry *e = entries; e; e = e->next) {
		if (e->pid == pid)
			e->pid = 0;
	}
}

/* Reaps whoever ends, until @pid does. Returns its status as a shell's. */
static int wait_for(pid_t pid)
{
	for (;;) {
		int status;
		pid_t who = wait(&status);

		if (who == pid)
			return status_of(status);
		if (who < 0 && errno != EINTR)
			return EXIT_FAILURE;
		child_ended(who);
	}
}

static void reap(void)
{
	for (pid_t pid; (pid = waitpid(-1, NULL, WNOHANG)) > 0;)
		child_ended(pid);
}

static void start(struct entry *e)
{
	e->pid = spawn_line(e->line, e->terminal, e->action == ASKFIRST);
	if (e->pid > 0)
		return;
	fprintf(stderr, "init: %s: %s\n", e->line, strerror(errno));
	e->pid = 0;
}

/* Starts all entries of @action that do not run; with @wait, each is waited for. */
static void start_all(enum action action, bool wait)
{
	for (struct entry *e = entries; e; e = e->next) {
		if (e->action != action || e->pid || !e->listed)
			continue;
		start(e);
		if (wait && e->pid) {
			wait_for(e->pid);
			e->pid = 0;
		}
	}
}

/* ---- the end ---- */

static bool has_children(void)
{
	return waitpid(-1, NULL, WNOHANG) >= 0 || errno != ECHILD;
}

/* Ends all programs: first with, then without their consent. */
static void end_programs(void)
{
	const struct timespec moment = {0, 20000000};

	start_all(SHUTDOWN, true);
	printf("The system is going down: sent SIGTERM to all processes\n");
	fflush(stdout);
	kill(-1, SIGTERM);
	kill(-1, SIGCONT);
	for (int i = 0; i < END_WAIT_S * 50 && has_children(); i++)
		nanosleep(&moment, NULL);
	kill(-1, SIGKILL);
	while (has_children() && errno != ECHILD)
		nanosleep(&moment, NULL);
	sync();
}

static _Noreturn void end(int how)
{
	end_programs();
	reboot(how);
	for (;;)
		pause();
}

/* Another program becomes process 1: it has all signals as they were. */
static void give_way(void)
{
	for (struct entry *e = entries; e; e = e->next) {
		char *argv[] = {e->line, NULL};

		if (e->action != RESTART)
			continue;
		end_programs();
		sigprocmask(SIG_UNBLOCK, &asked, NULL);
		execv(argv[0], argv);
		fprintf(stderr, "init: %s: %s\n", e->line, strerror(errno));
		sigprocmask(SIG_BLOCK, &asked, NULL);
	}
}

/* ---- process 1 ---- */

static void take_signal(int sig)
{
	if (sig == SIGUSR1)
		end(RB_HALT_SYSTEM);
	if (sig == SIGUSR2)
		end(RB_POWER_OFF);
	if (sig == SIGTERM)
		end(RB_AUTOBOOT);
	if (sig == SIGINT)
		start_all(CTRLALTDEL, false);
	if (sig == SIGQUIT)
		give_way();
	if (sig == SIGHUP)
		inittab_read();
}

static void respawn_all(void)
{
	static time_t last = -RESPAWN_WAIT_S;
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	if (now.tv_sec - last < RESPAWN_WAIT_S)
		sleep(RESPAWN_WAIT_S);
	last = now.tv_sec;
	start_all(RESPAWN, false);
	start_all(ASKFIRST, false);
}

static bool is_respawn_due(void)
{
	for (struct entry *e = entries; e; e = e->next) {
		if (!e->pid && e->listed && (e->action == RESPAWN || e->action == ASKFIRST))
			return true;
	}
	return false;
}

static _Noreturn void serve(void)
{
	inittab_read();
	start_all(SYSINIT, true);
	start_all(WAIT, true);
	start_all(ONCE, false);
	for (;;) {
		if (is_respawn_due())
			respawn_all();
		take_signal(sigwaitinfo(&asked, NULL));
		reap();
	}
}

static int run(char **argv)
{
	pid_t pid = spawn(argv, "/dev/console", false);

	if (pid < 0) {
		fprintf(stderr, "init: %s: %s\n", argv[0], strerror(errno));
		return EXIT_FAILURE;
	}
	return wait_for(pid);
}

int main(int argc, char **argv)
{
	static const int signals[] = {SIGCHLD, SIGHUP,  SIGINT,  SIGQUIT,
				      SIGTERM, SIGUSR1, SIGUSR2, 0};

	if (getpid() != 1) {
		fprintf(stderr, "init: this is the first process's program, and no other's\n");
		return EXIT_FAILURE;
	}
	sigemptyset(&asked);
	for (int i = 0; signals[i]; i++)
		sigaddset(&asked, signals[i]);
	sigprocmask(SIG_BLOCK, &asked, NULL);
	mount_usual();
	setenv("PATH", USUAL_PATH, 0);
	setenv("SHELL", "/bin/sh", 0);
	setenv("USER", "root", 0);
	if (argc > 2 && strcmp(argv[1], "--run") == 0)
		return run(argv + 2);
	setenv("HOME", "/root", 1);
	reboot(RB_DISABLE_CAD);
	serve();
}
