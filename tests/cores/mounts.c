/*
 * Mount namespaces and processes on different cores: what is one core's own costs no messages,
 * what several have does.
 */
#include "cores.h"
#include "place.h"

#include <sys/mman.h>
#include <sys/utsname.h>

#define WORKERS 4

/* What all processes of a case share; places to meet that take no call. */
struct meeting {
	_Atomic int arrived, gate;
};

static struct meeting *meeting;

static void meet_begin(void)
{
	meeting = mmap(NULL, sizeof(*meeting), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	CHECK(meeting != MAP_FAILED);
}

/* A worker is there, and waits until gate @n opens. */
static void arrive(int n)
{
	meeting->arrived++;
	while (meeting->gate < n)
		sched_yield();
}

/* All workers have arrived for the @n-th time. */
static void all_arrived(int n)
{
	while (meeting->arrived < n * WORKERS)
		sched_yield();
}

/* --- Messages --- */

/* Sent between cores so far, without the reader's own; -1: this system does not know. */
static long messages(void)
{
	char line[128], area[32];
	unsigned long sent, sum = 0;
	FILE *f = fopen("sys/kernel/skerry/messages", "r");

	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		MUST(sscanf(line, "%31s %lu", area, &sent) == 2);
		sum += strcmp(area, "control") ? sent : 0;
	}
	fclose(f);
	return (long)sum;
}

static bool counts_messages(void)
{
	struct utsname u;

	MUST(uname(&u) == 0);
	return strstr(u.version, "Skerry") != NULL;
}

/* Make a namespace, fill it, and let it end with the next. */
static void make_and_fill(void)
{
	MUST(unshare(CLONE_NEWNS) == 0);
	MUST(tmpfs("x") == 0 && mkdir("x/s", 0755) == 0 && bind_("x/s", "y", 0) == 0);
	MUST(kind("y", MS_SHARED) == 0 && tmpfs("y") == 0 && touch("y/f") == 0);
	MUST(umount("y") == 0);
}

static void rounds_of_own(int n)
{
	for (int i = 0; i < n; i++)
		make_and_fill();
}

static int own_namespaces(void *arg)
{
	(void)arg;
	MUST(unshare(CLONE_NEWNS) == 0 && tmpfs("b") == 0 && chdir("b") == 0);
	MUST(mkdir("x", 0755) == 0 && mkdir("y", 0755) == 0);
	rounds_of_own(10);
	arrive(1);
	rounds_of_own(50);
	arrive(2);
	return 0;
}

/* All are in one namespace, each with a folder that only it mounts on. */
static int one_namespace(void *arg)
{
	const char *dir = arg;

	MUST(tmpfs(dir) == 0 && umount(dir) == 0);
	arrive(1);
	for (int i = 0; i < 10; i++)
		MUST(tmpfs(dir) == 0 && umount(dir) == 0);
	arrive(2);
	return 0;
}

/* How many messages are sent between the first and the second gate. */
static long messages_of(int (*work)(void *arg))
{
	static char *const dirs[WORKERS] = {"a", "b", "c", "d"};
	pid_t child[WORKERS];
	long before, after;

	meet_begin();
	place();
	CHECK(mkdir("sys", 0755) == 0 && mount("sys", "sys", "sysfs", 0, NULL) == 0);
	for (int i = 0; i < WORKERS; i++)
		child[i] = on_core(i, work, dirs[i]);
	all_arrived(1);
	before = messages();
	CHECK((before >= 0) == counts_messages());
	meeting->gate = 1;
	all_arrived(2);
	after = messages();
	meeting->gate = 2;
	for (int i = 0; i < WORKERS; i++)
		CHECK(end_of(child[i]) == 0);
	return after - before;
}

CASE(namespaces_of_their_own_cost_no_messages)
{
	CHECK(messages_of(own_namespaces) == 0);
}

CASE(changes_of_a_shared_namespace_are_messages)
{
	CHECK((messages_of(one_namespace) > 0) == counts_messages());
}
