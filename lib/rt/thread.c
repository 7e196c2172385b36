/* See thread.h. */
#include <rt/thread.h>
#include <locale.h>

/* Larger than musl's struct pthread; zero is a good value for all of it but the first word. */
static u64 block[64] __attribute__((aligned(64)));

void thread_init(void)
{
	block[0] = (u64)block; /* its own address, at %fs:0 (System V ABI, thread-local storage) */
	__asm__ volatile("wrfsbase %0" : : "r"(block));
	uselocale(LC_GLOBAL_LOCALE); /* what strerror and its like look at */
}
