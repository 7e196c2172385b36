/*
 * The guest of the model's check: micro-benchmarks whose answers are known.
 *
 * Command line: "cores=N far=K": N cores take part; core K is on another socket than core 0 (0:
 * there is none). Prints a line "@bench name=... value=..." for each figure, and ends QEMU by its
 * debug-exit device.
 *
 * Runs in: a virtual machine of its own, without an operating system.
 */
#include <stdint.h>

#define COM1       0x3f8
#define EXIT_PORT  0xf4
#define X2APIC_ICR 0x830
#define START_PAGE 0x8000
#define MAX_CORES  256
#define LINE       64
#define BUFFERS    (64ul << 20) /* physical; each core's own memory follows at STRIDE */
#define MiB        (1ul << 20)

extern const char trampoline[];
extern const uint32_t trampoline_size;
extern uint32_t boot_info;
void core_main(uint32_t id);

struct line {
	volatile uint64_t word[LINE / 8];
} __attribute__((aligned(LINE)));

static struct line arrived, generation, left, shared, ticket, serving, tail, protected_word[2];
static struct line private_word[MAX_CORES], finished[MAX_CORES], flag[MAX_CORES], next[MAX_CORES];
static uint32_t ncores, far_core;

/* --- The processor --- */

static void out(uint16_t port, uint8_t value)
{
	asm volatile("outb %0, %1" ::"a"(value), "Nd"(port));
}

static void write_msr(uint32_t msr, uint64_t value)
{
	asm volatile("wrmsr" ::"c"(msr), "a"((uint32_t)value), "d"((uint32_t)(value >> 32)));
}

static uint64_t cycles(void)
{
	uint32_t low, high;

	asm volatile("rdtsc" : "=a"(low), "=d"(high)::"memory");
	return (uint64_t)high << 32 | low;
}

static void pause(void)
{
	asm volatile("pause" ::: "memory");
}

static uint64_t fetch_add(volatile uint64_t *p, uint64_t n)
{
	return __atomic_fetch_add(p, n, __ATOMIC_SEQ_CST);
}

static void model_on(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x53540001");
}

static void model_report(void)
{
	asm volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long 0x53540002");
}

/* --- Printing --- */

static void print(const char *s)
{
	for (; *s; s++)
		out(COM1, (uint8_t)*s);
}

static void print_number(uint64_t n)
{
	char digits[21];
	int i = 20;

	digits[i] = 0;
	do
		digits[--i] = (char)('0' + n % 10);
	while (n /= 10);
	print(digits + i);
}

/* In thousandths: the host divides. */
static void figure(const char *name, uint64_t value)
{
	print("@bench name=");
	print(name);
	print(" milli=");
	print_number(value);
	print("\n");
}

/* --- All cores together --- */

static void barrier(void)
{
	uint64_t mine = generation.word[0];

	if (fetch_add(&arrived.word[0], 1) == ncores - 1) {
		arrived.word[0] = 0;
		generation.word[0] = mine + 1;
		return;
	}
	while (generation.word[0] == mine)
		pause();
}

typedef void benchmark(uint32_t me, uint32_t n);

/* Millicycles for each of @n rounds of @f on @active cores: the longest of them. */
static uint64_t measure(uint32_t me, uint32_t active, benchmark *f, uint32_t n)
{
	uint64_t start, longest = 0;

	barrier();
	start = cycles();
	if (me < active)
		f(me, n);
	finished[me].word[0] = cycles() - start;
	barrier();
	for (uint32_t i = 0; i < active; i++)
		if (finished[i].word[0] > longest)
			longest = finished[i].word[0];
	barrier();
	return longest * 1000 / n;
}

/* --- The benchmarks --- */

static void count_private(uint32_t me, uint32_t n)
{
	while (n--)
		private_word[me].word[0]++;
}

static void count_shared(uint32_t me, uint32_t n)
{
	(void)me;
	while (n--)
		fetch_add(&shared.word[0], 1);
}

/* Cores 0 and far_core or 1 hand a line to and fro; a round is two transfers. */
static void ping_pong(uint32_t me, uint32_t n)
{
	uint32_t side = me ? 1 : 0;

	for (uint32_t i = 0; i < n; i++) {
		while ((shared.word[1] & 1) != side)
			pause();
		shared.word[1]++;
	}
}

static void near_pair(uint32_t me, uint32_t n)
{
	if (me < 2)
		ping_pong(me, n);
}

static void far_pair(uint32_t me, uint32_t n)
{
	if (me == 0 || me == far_core)
		ping_pong(me, n);
}

static void critical_section(void)
{
	protected_word[0].word[0]++;
	protected_word[1].word[0]++;
}

static void ticket_lock(uint32_t me, uint32_t n)
{
	(void)me;
	while (n--) {
		uint64_t mine = fetch_add(&ticket.word[0], 1);

		while (serving.word[0] != mine)
			pause();
		critical_section();
		serving.word[0] = mine + 1;
	}
}

/* Mellor-Crummey and Scott's queue lock. */
static void mcs_lock(uint32_t me, uint32_t n)
{
	while (n--) {
		uint64_t before, mine = me + 1;

		next[me].word[0] = 0;
		flag[me].word[0] = 1;
		before = __atomic_exchange_n(&tail.word[0], mine, __ATOMIC_SEQ_CST);
		if (before) {
			next[before - 1].word[0] = mine;
			while (flag[me].word[0])
				pause();
		}
		critical_section();
		if (!next[me].word[0]) {
			if (__atomic_compare_exchange_n(&tail.word[0], &(uint64_t){mine}, 0, 0,
							__ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST))
				continue;
			while (!next[me].word[0])
				pause();
		}
		flag[next[me].word[0] - 1].word[0] = 0;
	}
}

/* Words of one line, by two cores. */
static void false_sharing(uint32_t me, uint32_t n)
{
	while (n--)
		shared.word[2 + (me & 1)]++;
}

/* Read @n lines one after the other, up to 2 MiB of the core's 4; each half is for one test. */
static void stream_half(uint32_t me, uint32_t n, uint64_t half)
{
	volatile uint64_t *p = (volatile uint64_t *)(BUFFERS + (2 * me + half) * 2 * MiB);

	for (uint32_t i = 0; i < n; i++)
		(void)p[i * (uint64_t)(LINE / 8)];
}

static void stream_alone(uint32_t me, uint32_t n)
{
	stream_half(me, n, 0);
}

static void stream_together(uint32_t me, uint32_t n)
{
	stream_half(me, n, 1);
}

/* A walk over @n lines in an order no prefetcher knows: each says which is next. */
static void lay_chain(volatile uint64_t *p, uint64_t nlines)
{
	uint64_t at = 0;

	for (uint64_t i = 0; i < nlines; i++) {
		/* nlines is a power of two: this generator visits all (Knuth 3.2.1.2). */
		uint64_t to = (at * 1664525 + 1013904223) & (nlines - 1);

		p[at * (LINE / 8)] = to;
		at = to;
	}
}

static uint64_t chase(volatile uint64_t *p, uint32_t n)
{
	uint64_t at = 0, start = cycles();

	for (uint32_t i = 0; i < n; i++)
		at = p[at * (LINE / 8)];
	return (cycles() - start) * 1000 / n + (at >> 63);
}

static void latencies(uint64_t home)
{
	static const struct {
		const char *name;
		uint64_t lines;
	} sizes[] = {{"l1", 128}, {"l2", 2048}, {"llc", 65536}, {"dram", 1 << 20}};

	for (unsigned int i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		volatile uint64_t *p = (volatile uint64_t *)home;

		lay_chain(p, sizes[i].lines);
		chase(p, (uint32_t)sizes[i].lines);
		figure(sizes[i].name,
		       chase(p, sizes[i].lines > 20000 ? 20000 : (uint32_t)sizes[i].lines));
	}
}

static void one(uint32_t me, const char *name, uint32_t active, benchmark *f, uint32_t n)
{
	uint64_t value = measure(me, active, f, n);

	if (me == 0)
		figure(name, value);
}

static void run_all(uint32_t me)
{
	one(me, "private", ncores, count_private, 2000);
	one(me, "private", ncores, count_private, 20000);
	one(me, "atomic1", 1, count_shared, 2000);
	one(me, "atomic", ncores, count_shared, 300);
	one(me, "ticket1", 1, ticket_lock, 1000);
	one(me, "ticket", ncores, ticket_lock, 60);
	one(me, "mcs1", 1, mcs_lock, 1000);
	one(me, "mcs", ncores, mcs_lock, 60);
	if (ncores > 1) {
		one(me, "near", 2, near_pair, 1000);
		one(me, "false", 2, false_sharing, 1000);
	}
	if (far_core)
		one(me, "far", ncores, far_pair, 1000);
	one(me, "stream1", 1, stream_alone, 32768);
	one(me, "stream", ncores, stream_together, 32768);
	if (me == 0)
		latencies(BUFFERS + MAX_CORES * 4 * MiB);
}

/* --- Beginning and end --- */

static uint32_t option(const char *line, const char *name)
{
	uint32_t value = 0;

	for (; *line; line++) {
		const char *a = line, *b = name;

		while (*b && *a == *b)
			a++, b++;
		if (*b)
			continue;
		while (*a >= '0' && *a <= '9')
			value = value * 10 + (uint32_t)(*a++ - '0');
		return value;
	}
	return 0;
}

static void start_others(void)
{
	volatile char *page = (volatile char *)START_PAGE;

	for (uint32_t i = 0; i < trampoline_size; i++)
		page[i] = trampoline[i];
	/* Intel's manual, volume 3, 11.4.4.1: INIT, start-up, to all but this one. */
	write_msr(X2APIC_ICR, 0xc4500);
	for (uint64_t start = cycles(); cycles() - start < 100000;)
		pause();
	write_msr(X2APIC_ICR, 0xc4600 | START_PAGE >> 12);
}

void core_main(uint32_t id)
{
	if (id == 0) {
		const char *line =
			(const char *)(uintptr_t)((const uint64_t *)(uintptr_t)boot_info)[3];

		ncores = option(line, "cores=");
		far_core = option(line, "far=");
		if (ncores > 1)
			start_others();
	}
	fetch_add(&left.word[0], 1);
	while (!ncores || left.word[0] < ncores)
		pause();
	if (id == 0)
		model_on();
	barrier();
	/* The switch takes effect at the next block; one more round to be sure that it has. */
	barrier();
	run_all(id);
	barrier();
	if (id == 0) {
		model_report();
		out(EXIT_PORT, 0);
	}
	for (;;)
		asm volatile("hlt");
}
