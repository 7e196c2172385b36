/*
 * What a message costs (lib/ump): instructions are counted by single-stepping a child process
 * through sends and receives, so the numbers are exact and the same on every run. Without
 * sanitizers, which would add their own.
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/reg.h>
#include <sys/wait.h>
#include <ump/ump.h>
#include <unistd.h>
#include <unit.h>

#define ROUNDS 240u /* four rounds of the ring: acknowledgements are counted in */
#define LIMIT  60u  /* instructions to send and receive a message */

static _Alignas(PAGE_SIZE) u8 region[2][PAGE_SIZE];
static struct ump a, b;

/* Calls of these are what the parent looks for. */
__attribute__((noinline)) static void begin_counting(void)
{
	__asm__ volatile("");
}

__attribute__((noinline)) static void end_counting(void)
{
	__asm__ volatile("");
}

static void no_ring(void *arg)
{
	(void)arg;
}

static void child(void)
{
	u64 word[7] = {1, 2, 3, 4, 5, 6, 7};
	struct msg m = {0};
	int bad = 0;

	ump_init(&a, region[0], region[1], PAGE_SIZE, 1, no_ring, NULL);
	ump_init(&b, region[1], region[0], PAGE_SIZE, 1, no_ring, NULL);
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	raise(SIGSTOP);
	begin_counting();
	for (u32 i = 0; i < ROUNDS; i++) {
		bad |= ump_send(&a, MSG_TYPE(MSG_TEST, 1), word, sizeof(word));
		bad |= ump_recv(&b, &m) - 1;
	}
	end_counting();
	_exit(bad || memcmp(m.word, word, sizeof(word)) != 0);
}

/* Step @pid to its end; returns the instructions between the two marks, 0 if it failed. */
static u64 count_instructions(pid_t pid)
{
	u64 count = 0, result = 0;
	int status;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		u64 at = (u64)ptrace(PTRACE_PEEKUSER, pid, 8 * RIP, NULL);

		if (at == (uintptr_t)begin_counting)
			count = 0;
		if (at == (uintptr_t)end_counting)
			result = count;
		count++;
		if (ptrace(result ? PTRACE_CONT : PTRACE_SINGLESTEP, pid, NULL, NULL) != 0)
			return 0;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? result : 0;
}

TEST(send_and_receive_take_at_most_60_instructions)
{
	pid_t pid;
	u64 count;

	fflush(stdout);
	pid = fork();
	REQUIRE(pid >= 0);
	if (pid == 0)
		child();
	count = count_instructions(pid);
	printf("%.1f instructions, the loop included; ", (double)count / ROUNDS);
	CHECK(count > 20 * ROUNDS); /* something was counted */
	CHECK(count <= LIMIT * ROUNDS);
}
