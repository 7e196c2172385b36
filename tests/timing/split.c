/*
 * A program whose profile is known: of the time between the model's markers, heavy() takes three
 * parts of four and light() one, each called by its own caller, both from parts().
 *
 * The loops touch no memory, so that a cycle is an instruction and nothing else has a share.
 */
#include <stdint.h>

#define MARKER(number) __asm__ volatile(".byte 0x0f, 0x1f, 0x84, 0x00; .long " #number ::: "memory")

/* @n times three instructions. */
static inline void spin(uint64_t n)
{
	__asm__ volatile("1: nop; dec %0; jnz 1b" : "+r"(n));
}

static __attribute__((noipa)) void heavy(uint64_t n)
{
	spin(3 * n);
	__asm__ volatile("");
}

static __attribute__((noipa)) void light(uint64_t n)
{
	spin(n);
	__asm__ volatile("");
}

static __attribute__((noipa)) void calls_heavy(uint64_t n)
{
	heavy(n);
	__asm__ volatile("");
}

static __attribute__((noipa)) void calls_light(uint64_t n)
{
	light(n);
	__asm__ volatile("");
}

static __attribute__((noipa)) void parts(void)
{
	for (int i = 0; i < 50; i++) {
		calls_heavy(2000);
		calls_light(2000);
	}
	__asm__ volatile("");
}

int main(void)
{
	MARKER(0x53540001);
	parts();
	MARKER(0x53540005);
	parts();
	MARKER(0x53540002);
	MARKER(0x53540003);
	return 0;
}
