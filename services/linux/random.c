/* See random.h. */
#include "random.h"

#include <rt/clock.h>
#include <string.h>

#define RDRAND_TRIES 10

static u32 key[8];
static u64 nonce;
static u8 ready[256]; /* made ahead: the first @nready are still to be given out */
static u64 nready;

static u32 rotate(u32 x, u32 n)
{
	return x << n | x >> (32 - n);
}

static void quarter(u32 *a, u32 *b, u32 *c, u32 *d)
{
	*a += *b;
	*d = rotate(*d ^ *a, 16);
	*c += *d;
	*b = rotate(*b ^ *c, 12);
	*a += *b;
	*d = rotate(*d ^ *a, 8);
	*c += *d;
	*b = rotate(*b ^ *c, 7);
}

/* One block of the cipher: 64 bytes. */
static void block(u32 out[16], u64 counter)
{
	u32 in[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, s[16];

	memcpy(in + 4, key, sizeof(key));
	in[12] = (u32)counter;
	in[13] = (u32)(counter >> 32);
	in[14] = (u32)nonce;
	in[15] = (u32)(nonce >> 32);
	memcpy(s, in, sizeof(s));
	for (u32 i = 0; i < 10; i++) {
		quarter(&s[0], &s[4], &s[8], &s[12]);
		quarter(&s[1], &s[5], &s[9], &s[13]);
		quarter(&s[2], &s[6], &s[10], &s[14]);
		quarter(&s[3], &s[7], &s[11], &s[15]);
		quarter(&s[0], &s[5], &s[10], &s[15]);
		quarter(&s[1], &s[6], &s[11], &s[12]);
		quarter(&s[2], &s[7], &s[8], &s[13]);
		quarter(&s[3], &s[4], &s[9], &s[14]);
	}
	for (u32 i = 0; i < 16; i++)
		out[i] = s[i] + in[i];
}

/*
 * Make bytes ahead; the key is replaced first, so that what was given out cannot be computed any
 * more, and what is given out is wiped here.
 */
static void refill(void)
{
	u32 out[16];

	for (u32 i = 0; i < ARRAY_SIZE(ready) / sizeof(out); i++) {
		block(out, i + 1);
		memcpy(ready + i * sizeof(out), out, sizeof(out));
	}
	block(out, 0);
	memcpy(key, out, sizeof(key));
	nonce++;
	nready = sizeof(ready);
}

void random_bytes(void *to, u64 len)
{
	u8 *at = to;

	while (len) {
		u64 n;

		if (!nready)
			refill();
		n = MIN(len, nready);
		nready -= n;
		memcpy(at, ready + nready, n);
		memset(ready + nready, 0, n);
		at += n;
		len -= n;
	}
}

void random_stir(u64 value)
{
	u32 out[16];

	key[0] ^= (u32)value;
	key[1] ^= (u32)(value >> 32);
	block(out, 0);
	memcpy(key, out, sizeof(key));
	nonce++;
	nready = 0;
}

static bool has_rdrand(void)
{
	u32 a = 1, b, c = 0, d;

	__asm__("cpuid" : "+a"(a), "=b"(b), "+c"(c), "=d"(d));
	return c >> 30 & 1;
}

static u64 rdrand(void)
{
	u64 value = 0;
	u8 ok = 0;

	for (u32 i = 0; i < RDRAND_TRIES && !ok; i++)
		__asm__ volatile("rdrand %0; setc %1" : "=r"(value), "=qm"(ok));
	return value;
}

void random_init(void)
{
	bool hardware = has_rdrand();

	for (u32 i = 0; i < 8; i++)
		random_stir(clock_tsc() ^ (hardware ? rdrand() : 0));
}
