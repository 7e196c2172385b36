/*
 * wander [MOVES]: ten processes that go from core to core by chance, MOVES times each (20), and
 * check their memory every time.
 */
#include "check.h"
#include "cores.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define PROCESSES 10
#define BYTES     (16u * 4096u)

struct trip {
	int moves;
	unsigned int seed;
};

/* What cores.c finds wrong ends all: there are no cases here. */
_Noreturn void case_failed(const char *file, int line, const char *what, int error)
{
	must(false, file, line, what);
	_exit(error);
}

static int wander(void *arg)
{
	struct trip *t = arg;
	uint8_t *p = malloc(BYTES);

	MUST(p != NULL);
	for (size_t i = 0; i < BYTES; i++)
		p[i] = (uint8_t)(i * 7 + t->seed);
	for (int r = 0; r < t->moves; r++) {
		to_core(rand_r(&t->seed) % 4);
		for (size_t i = 1; i < BYTES; i++)
			MUST((uint8_t)(p[i] - p[i - 1]) == 7);
		for (size_t i = 0; i < BYTES; i++)
			p[i] += (uint8_t)r;
	}
	free(p);
	return 0;
}

int main(int argc, char **argv)
{
	int moves = argc > 1 ? atoi(argv[1]) : 20, lost = 0;
	pid_t child[PROCESSES];

	for (int i = 0; i < PROCESSES; i++)
		child[i] = on_core(i, wander, &(struct trip){moves, (unsigned int)i + 1});
	for (int i = 0; i < PROCESSES; i++)
		lost += end_of(child[i]) != 0;
	printf("%d moves, %d of %d processes lost\n", moves * PROCESSES, lost, PROCESSES);
	return lost != 0;
}
