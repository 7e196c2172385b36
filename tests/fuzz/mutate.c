/*
 * A fuzzer without coverage: changes samples at random and gives them to the target.
 *
 *   mutate-NAME [--runs N] [--seed N] [--samples DIR]
 *
 * The same seed gives the same inputs. --samples writes the samples to files, for libFuzzer to
 * begin with, and runs nothing. When an input breaks something, the seed that makes it again is
 * named.
 */
#include "fuzz.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define MAX_SAMPLES 16

static u8 sample[MAX_SAMPLES][FUZZ_MAX_BYTES];
static size_t sample_len[MAX_SAMPLES];
static u32 nsamples;
static u64 running; /* the seed of the input that is being tried */

/* The sanitizers ask these how to end when they have found something: by a signal. */
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);

const char *__asan_default_options(void)
{
	return "abort_on_error=1";
}

const char *__ubsan_default_options(void)
{
	return "abort_on_error=1";
}

static void name_seed(int signal_number)
{
	char text[80];
	int len = snprintf(text, sizeof(text), "made again by: --runs 1 --seed %lu\n", running);

	if (write(STDERR_FILENO, text, (size_t)len) != len)
		_exit(3);
	signal(signal_number, SIG_DFL);
}

/* SplitMix64 (Steele, Lea, Flood, OOPSLA 2014): any state will do to begin with. */
static u64 next_random(u64 *state)
{
	u64 z = *state += 0x9e3779b97f4a7c15ul;

	z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9ul;
	z = (z ^ z >> 27) * 0x94d049bb133111ebul;
	return z ^ z >> 31;
}

static int write_samples(const char *folder)
{
	for (u32 i = 0; i < nsamples; i++) {
		char path[4096];
		FILE *f;

		snprintf(path, sizeof(path), "%s/sample-%u", folder, i);
		f = fopen(path, "wb");
		if (!f || fwrite(sample[i], 1, sample_len[i], f) != sample_len[i] ||
		    fclose(f) != 0) {
			perror(path);
			return 1;
		}
	}
	return 0;
}

/* Values that are often at the edge of something. */
static u64 interesting(u64 *seed)
{
	static const u64 values[] = {0,          1,         2,         7,          8,
				     16,         255,       4096,      0x7fffffff, 0x80000000,
				     0xffffffff, 1ul << 32, ~0ul >> 1, 1ul << 63,  ~0ul};
	u64 r = next_random(seed);

	return r & 1 ? values[(r >> 8) % ARRAY_SIZE(values)] : r >> (r >> 1 & 63);
}

/* One change of @data; returns its new length. */
static size_t change(u8 *data, size_t len, u64 *seed)
{
	u64 r = next_random(seed) >> 8, value = interesting(seed);
	size_t at = len ? (r >> 8) % len : 0, width = 1ul << (r >> 40) % 4;

	if (len == 0)
		return 0;
	switch (r % 8) {
	case 0: /* cut */
		return at;
	case 1: /* take bytes out */
		width = MIN((r >> 44) % 64, len - at);
		memmove(data + at, data + at + width, len - at - width);
		return len - width;
	case 2: /* repeat bytes */
		width = MIN(MIN((r >> 44) % 64, len - at), FUZZ_MAX_BYTES - len);
		memmove(data + at + width, data + at, len - at);
		return len + width;
	case 3: /* one bit */
		data[at] ^= (u8)(1 << (r >> 44) % 8);
		return len;
	case 4: /* one digit, where numbers are text */
		data[at] = (u8) "0123456789ABCDEFabcdef"[(r >> 44) % 22];
		return len;
	default: /* a number, at a multiple of its width */
		at = ROUND_DOWN(at, width);
		memcpy(data + at, &value, MIN(width, len - at));
		return len;
	}
}

static void run(u64 seed)
{
	static u8 data[FUZZ_MAX_BYTES];
	u64 random = seed;
	u32 from = next_random(&random) % nsamples;
	size_t len = sample_len[from];
	u32 changes = (u32)(next_random(&random) >> 32) % 12;
	u8 *exact;

	running = seed;
	memcpy(data, sample[from], len);
	for (u32 i = 0; i < changes; i++)
		len = change(data, len, &random);
	exact = malloc(len ? len : 1); /* so that reading beyond the end is seen */
	if (!exact)
		abort();
	memcpy(exact, data, len);
	LLVMFuzzerTestOneInput(exact, len);
	free(exact);
}

int main(int argc, char **argv)
{
	u64 runs = 100000, seed = 1;
	const char *folder = NULL;

	for (int i = 1; i + 1 < argc; i += 2) {
		if (strcmp(argv[i], "--runs") == 0)
			runs = strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--seed") == 0)
			seed = strtoul(argv[i + 1], NULL, 0);
		else if (strcmp(argv[i], "--samples") == 0)
			folder = argv[i + 1];
		else
			argc = 0;
	}
	if (argc % 2 == 0) {
		fprintf(stderr, "usage: %s [--runs N] [--seed N] [--samples DIR]\n", argv[0]);
		return 2;
	}
	while (nsamples < MAX_SAMPLES &&
	       (sample_len[nsamples] = fuzz_sample(nsamples, sample[nsamples])) > 0)
		nsamples++;
	if (folder)
		return write_samples(folder);
	signal(SIGABRT, name_seed);
	for (u64 i = 0; i < runs; i++)
		run(seed + i);
	printf("%lu inputs, seeds %lu to %lu\n", runs, seed, seed + runs - 1);
	return 0;
}
