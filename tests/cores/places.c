/*
 * Where threads may run and where they are: affinity, and what the machine is said to be.
 *
 * Source: sched_setaffinity(2), getcpu(2), proc_pid_status(5), proc_stat(5), cputopology.rst.
 */
#include "check.h"
#include "cores.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#define WORDS 128 /* 8192 processors: no kernel has more */

/* Without the C library in between: its wrapper changes results and sizes. */
static long get_mask(pid_t pid, size_t bytes, void *mask)
{
	return syscall(SYS_sched_getaffinity, pid, bytes, mask);
}

static long set_mask(pid_t pid, size_t bytes, const void *mask)
{
	return syscall(SYS_sched_setaffinity, pid, bytes, mask);
}

static int nth_cpu(int n)
{
	cpu_set_t all;

	MUST(sched_getaffinity(0, sizeof(all), &all) == 0);
	for (int cpu = 0; cpu < CPU_SETSIZE; cpu++) {
		if (CPU_ISSET((size_t)cpu, &all) && n-- == 0)
			return cpu;
	}
	return -1;
}

static void bind_to(pid_t pid, int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET((size_t)cpu, &one);
	CHECK(sched_setaffinity(pid, sizeof(one), &one) == 0);
}

/* What stands behind @key in a file; "" if nothing does. */
static const char *value_in(const char *path, const char *key)
{
	static char line[4096];
	FILE *f = fopen(path, "r");
	size_t len = strlen(key);

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f)) {
		if (strncmp(line, key, len) == 0) {
			fclose(f);
			line[strcspn(line, "\n")] = 0;
			return line + len + strspn(line + len, ": \t");
		}
	}
	fclose(f);
	return "";
}

/* How many processors a list such as "0-3,8" has; whether @cpu is one of them. */
static int count_list(const char *list, int cpu, bool *has)
{
	int n = 0;

	*has = false;
	while (*list >= '0' && *list <= '9') {
		char *end;
		int first = (int)strtol(list, &end, 10), last = first;

		if (*end == '-')
			last = (int)strtol(end + 1, &end, 10);
		n += last - first + 1;
		*has |= cpu >= first && cpu <= last;
		list = *end == ',' ? end + 1 : end;
	}
	return n;
}

CASE(mask_has_the_size_of_the_kernels_and_needs_room_for_all)
{
	uint64_t mask[WORDS];
	long bytes = get_mask(0, sizeof(mask), mask);

	CHECK(bytes > 0 && bytes % 8 == 0);
	CHECK_ERROR(get_mask(0, 0, mask), EINVAL);
	CHECK_ERROR(get_mask(0, sizeof(mask) - 4, mask), EINVAL);
	CHECK_ERROR(get_mask(0, sizeof(mask), (void *)8), EFAULT);
	CHECK_ERROR(get_mask(0x7ffffff0, 0, mask), EINVAL);
	CHECK_ERROR(get_mask(0x7ffffff0, sizeof(mask), mask), ESRCH);
}

CASE(processors_that_are_not_there_do_not_count)
{
	uint64_t mask[WORDS] = {0}, got[WORDS];
	int cpu = nth_cpu(0);

	CHECK_ERROR(set_mask(0, sizeof(mask), mask), EINVAL);
	CHECK_ERROR(set_mask(0, 0, mask), EINVAL);
	mask[WORDS - 1] = 1ul << 63;
	CHECK_ERROR(set_mask(0, sizeof(mask), mask), EINVAL);
	memset(mask, 0xff, sizeof(mask));
	mask[0] &= ~(1ul << cpu);
	mask[0] |= 1ul << cpu;
	CHECK(set_mask(0, sizeof(mask), mask) == 0);
	CHECK(get_mask(0, sizeof(got), got) > 0);
	CHECK(got[0] >> cpu & 1);
	CHECK(!(got[0] >> 63));
}

CASE(a_short_mask_is_filled_with_zeros)
{
	uint64_t got[WORDS] = {0};
	uint8_t byte;
	int cpu = nth_cpu(0);

	CHECK(cpu < 8);
	byte = (uint8_t)(1u << cpu);
	CHECK(set_mask(0, 1, &byte) == 0);
	CHECK(get_mask(0, sizeof(got), got) > 0);
	CHECK(got[0] == byte);
}

CASE(errors_come_in_linux_order)
{
	uint64_t mask = 1;

	CHECK_ERROR(set_mask(0x7ffffff0, sizeof(mask), (void *)8), EFAULT);
	CHECK_ERROR(set_mask(0x7ffffff0, sizeof(mask), &mask), ESRCH);
}

CASE(a_thread_is_where_it_may_be_at_once)
{
	for (int i = 0; i < 12; i++) {
		int cpu = nth_cpu(i % 2);
		unsigned here = 0, node = 99;
		cpu_set_t all;

		if (cpu < 0)
			continue;
		CHECK(sched_getaffinity(0, sizeof(all), &all) == 0);
		bind_to(0, cpu);
		CHECK(sched_getcpu() == cpu);
		CHECK(syscall(SYS_getcpu, &here, &node, NULL) == 0);
		CHECK(here == (unsigned)cpu && node != 99);
		CHECK(sched_setaffinity(0, sizeof(all), &all) == 0);
	}
}

CASE(a_child_may_run_where_its_parent_may)
{
	int cpu = nth_cpu(1) >= 0 ? nth_cpu(1) : nth_cpu(0), status;
	pid_t child;
	cpu_set_t set;

	bind_to(0, cpu);
	child = fork();
	if (child == 0) {
		MUST(sched_getaffinity(0, sizeof(set), &set) == 0);
		MUST(CPU_COUNT(&set) == 1 && CPU_ISSET((size_t)cpu, &set));
		MUST(sched_getcpu() == cpu);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
}

struct passenger {
	int cpu, ready; /* where it is to go; the pipe it tells of its first place */
};

static int wait_to_be_moved(void *arg)
{
	const struct passenger *p = arg;
	int cpu = p->cpu;

	MUST(write(p->ready, "", 1) == 1);
	for (int i = 0; i < 10000 && sched_getcpu() != cpu; i++)
		usleep(1000);
	return sched_getcpu() == cpu ? 0 : 1;
}

CASE(another_process_goes_where_it_is_told)
{
	int cpu = nth_cpu(1) >= 0 ? nth_cpu(1) : nth_cpu(0), ends[2];
	struct passenger passenger = {.cpu = cpu};
	pid_t child;
	cpu_set_t set;
	char c;

	CHECK(pipe(ends) == 0);
	passenger.ready = ends[1];
	child = on_core(0, wait_to_be_moved, &passenger);
	CHECK(read(ends[0], &c, 1) == 1);
	CHECK(close(ends[0]) == 0 && close(ends[1]) == 0);
	bind_to(child, cpu);
	CHECK(sched_getaffinity(child, sizeof(set), &set) == 0);
	CHECK(CPU_COUNT(&set) == 1 && CPU_ISSET((size_t)cpu, &set));
	CHECK(end_of(child) == 0);
}

struct told {
	int go, there; /* pipes: a place is final; it has been reached */
};

static int wander_and_say(void *arg)
{
	const struct told *told = arg;
	int cpu;

	while (read(told->go, &cpu, sizeof(cpu)) == sizeof(cpu)) {
		for (int i = 0; i < 10000 && sched_getcpu() != cpu; i++)
			usleep(1000);
		MUST(sched_getcpu() == cpu);
		MUST(getpriority(PRIO_PROCESS, 0) == cpu + 1);
		MUST(write(told->there, "", 1) == 1);
	}
	return 0;
}

CASE(who_is_told_again_while_it_moves_goes_where_it_was_told_last)
{
	int go[2], there[2], end;
	struct told told;
	pid_t child;
	char c;

	CHECK(pipe2(go, O_CLOEXEC) == 0 && pipe2(there, O_CLOEXEC) == 0);
	told = (struct told){.go = go[0], .there = there[1]};
	child = fork();
	if (!child) {
		close(go[1]);
		_exit(wander_and_say(&told));
	}
	close(there[1]);
	for (int round = 0; round < 30; round++) {
		int n = 0;

		for (int i = 0; i <= round % 5 + 1; i++) {
			n = nth_cpu((round + i) % 4) >= 0 ? nth_cpu((round + i) % 4) : nth_cpu(0);
			bind_to(child, n);
			CHECK(setpriority(PRIO_PROCESS, (id_t)child, n + 1) == 0);
		}
		CHECK(write(go[1], &n, sizeof(n)) == sizeof(n));
		CHECK(read(there[0], &c, 1) == 1);
	}
	close(go[1]);
	end = end_of(child);
	CHECK(end == 0);
}

CASE(memory_and_descriptors_go_along)
{
	enum { BYTES = 1 << 20 };
	unsigned char *at = malloc(BYTES);
	int first = nth_cpu(0), second = nth_cpu(1) >= 0 ? nth_cpu(1) : nth_cpu(0), ends[2];
	char c;

	CHECK(at != NULL && pipe(ends) == 0);
	for (int i = 0; i < BYTES; i++)
		at[i] = (unsigned char)(i * 7 + i / 4096);
	for (int round = 0; round < 6; round++) {
		c = (char)('a' + round);
		CHECK(write(ends[1], &c, 1) == 1);
		bind_to(0, round % 2 ? first : second);
		CHECK(read(ends[0], &c, 1) == 1 && c == 'a' + round);
		for (int i = 0; i < BYTES; i++)
			CHECK(at[i] == (unsigned char)(i * 7 + i / 4096 + round));
		for (int i = 0; i < BYTES; i++)
			at[i]++;
	}
	free(at);
}

CASE(status_says_where_a_process_may_run)
{
	int cpu = nth_cpu(0);
	char want[32];
	bool has;

	CHECK(count_list(value_in("/proc/self/status", "Cpus_allowed_list"), cpu, &has) >= 1);
	CHECK(has);
	bind_to(0, cpu);
	snprintf(want, sizeof(want), "%d", cpu);
	CHECK(strcmp(value_in("/proc/self/status", "Cpus_allowed_list"), want) == 0);
	CHECK(count_list(value_in("/proc/self/status", "Mems_allowed_list"), 0, &has) >= 1);
}

CASE(every_processor_that_is_online_is_counted)
{
	int online = 0, lines = 0;
	char path[80], line[4096];
	bool has;
	FILE *f = fopen("/proc/stat", "r");

	CHECK(f != NULL);
	while (fgets(line, sizeof(line), f))
		lines += strncmp(line, "cpu", 3) == 0 && line[3] != ' ';
	fclose(f);
	online = count_list(value_in("/sys/devices/system/cpu/online", ""), 0, &has);
	CHECK(online >= 1 && online == lines);
	CHECK(sysconf(_SC_NPROCESSORS_ONLN) == online);
	for (int cpu = 0; cpu < online; cpu++) {
		snprintf(path, sizeof(path),
			 "/sys/devices/system/cpu/cpu%d/topology/core_siblings_list", cpu);
		CHECK(count_list(value_in(path, ""), cpu, &has) >= 1 && has);
	}
}
