/*
 * See death.h. It needs faults=1 on the kernel's command line, and must be root.
 */
#include "death.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define SCENARIOS   64
#define PATIENCE    90    /* seconds, of a scenario */
#define PREPARATION 20000 /* ms until the next must be ready */
#define NOTICE      40    /* seconds until the others must have noticed */

volatile int *shared;

static struct scenario {
	const char *name;
	void (*fn)(void);
	pid_t pid;
	volatile int *shared;
} all[SCENARIOS];
static int count, ready[2], go[2];
static const char *current;

void scenario_register(const char *name, void (*fn)(void))
{
	if (count < SCENARIOS)
		all[count++] = (struct scenario){.name = name, .fn = fn};
}

_Noreturn void case_failed(const char *file, int line, const char *what, int error)
{
	printf("@test name=%s result=fail detail=%s:%d:%s,%s\n", current, file, line, what,
	       strerror(error));
	fflush(stdout);
	_exit(1);
}

void await_death(void)
{
	char c;

	while (read(go[0], &c, 1) < 0 && errno == EINTR)
		;
}

void the_core_dies(void)
{
	CHECK(write(ready[1], "r", 1) == 1);
	await_death();
}

int sleep_for_ever(void *arg)
{
	if (arg)
		close(*(int *)arg);
	for (;;)
		pause();
}

void await_shared(int i, int value)
{
	while (shared[i] != value)
		usleep(2000);
}

static void timed_out(int sig)
{
	(void)sig;
	case_failed("death.c", 0, "it hangs", ETIME);
}

static void run(struct scenario *s)
{
	current = s->name;
	shared = s->shared;
	close(go[1]);
	signal(SIGALRM, timed_out);
	alarm(PATIENCE);
	s->fn();
	printf("@test name=%s result=pass\n", s->name);
	fflush(stdout);
	_exit(0);
}

static void start(struct scenario *s)
{
	s->shared = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(s->shared != MAP_FAILED);
	s->pid = fork();
	CHECK(s->pid >= 0);
	if (!s->pid)
		run(s);
}

/* Is the doomed core among those that are online? */
static bool is_online(void)
{
	char text[64] = "";
	int fd = open("/sys/devices/system/cpu/online", O_RDONLY);

	CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
	close(fd);
	return strchr(text, '0' + DOOMED) != NULL;
}

static void halt(void)
{
	char path[64];
	int fd, waited = 0;

	snprintf(path, sizeof(path), "/sys/kernel/skerry/core/%d/halt", DOOMED);
	fd = open(path, O_WRONLY);
	CHECK(fd >= 0);
	CHECK(write(fd, "1", 1) == 1);
	close(fd);
	while (is_online()) {
		usleep(50000);
		CHECK(++waited < NOTICE * 20);
	}
}

/* One more scenario is ready, or has had long enough. */
static void await_one(void)
{
	struct pollfd p = {.fd = ready[0], .events = POLLIN};
	char c;

	if (poll(&p, 1, PREPARATION) == 1)
		CHECK(read(ready[0], &c, 1) == 1);
}

static bool is_named(char **names, const char *name)
{
	while (*names && strcmp(*names, name))
		names++;
	return *names;
}

int main(int argc, char **argv)
{
	int failed = 0, status;

	if (argc == 2)
		return atoi(argv[1]); /* executed by a scenario */
	current = "the_core_dies";
	CHECK(pipe(ready) == 0 && pipe(go) == 0);
	setvbuf(stdout, NULL, _IOFBF, 4096);
	for (int i = 0; i < count; i++)
		if (argc < 3 || is_named(argv + 2, all[i].name)) /* --only NAME... */
			start(&all[i]);
	close(ready[1]);
	for (int i = 0; i < count; i++)
		if (all[i].pid)
			await_one();
	halt();
	close(go[1]);
	for (int i = 0; i < count; i++) {
		if (!all[i].pid)
			continue;
		CHECK(waitpid(all[i].pid, &status, 0) == all[i].pid);
		failed += status != 0;
	}
	return failed != 0;
}
