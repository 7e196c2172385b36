/*
 * Sets of cores: fixed size, plain values, no allocation.
 *
 * On the wire a set is a run of bytes of the bit map and the position of its first byte, so
 * that a small set costs a few bytes (core_set_pack, core_set_unpack).
 */
#ifndef AGREE_CORE_SET_H
#define AGREE_CORE_SET_H

#include <skerry/types.h>
#include <string.h>

#define AGREE_MAX_CORES 512u
#define CORE_SET_WORDS  (AGREE_MAX_CORES / 64)
#define CORE_SET_BYTES  (AGREE_MAX_CORES / 8)
#define NO_CORE         0xffffu

struct core_set {
	u64 w[CORE_SET_WORDS];
};

static inline void core_set_add(struct core_set *s, u32 core)
{
	s->w[core / 64] |= 1ul << (core % 64);
}

static inline void core_set_del(struct core_set *s, u32 core)
{
	s->w[core / 64] &= ~(1ul << (core % 64));
}

static inline bool core_set_has(const struct core_set *s, u32 core)
{
	return core < AGREE_MAX_CORES && (s->w[core / 64] >> (core % 64) & 1);
}

static inline void core_set_or(struct core_set *s, const struct core_set *other)
{
	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		s->w[i] |= other->w[i];
}

static inline void core_set_and(struct core_set *s, const struct core_set *other)
{
	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		s->w[i] &= other->w[i];
}

static inline void core_set_minus(struct core_set *s, const struct core_set *other)
{
	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		s->w[i] &= ~other->w[i];
}

static inline bool core_set_meets(const struct core_set *s, const struct core_set *other)
{
	u64 both = 0;

	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		both |= s->w[i] & other->w[i];
	return both != 0;
}

/* Is every core of @s in @other? */
static inline bool core_set_within(const struct core_set *s, const struct core_set *other)
{
	u64 rest = 0;

	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		rest |= s->w[i] & ~other->w[i];
	return rest == 0;
}

static inline bool core_set_empty(const struct core_set *s)
{
	u64 any = 0;

	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		any |= s->w[i];
	return any == 0;
}

static inline u32 core_set_count(const struct core_set *s)
{
	u32 n = 0;

	for (u32 i = 0; i < CORE_SET_WORDS; i++)
		n += (u32)__builtin_popcountl(s->w[i]);
	return n;
}

/* The lowest core of @s that is at least @from, or NO_CORE. */
static inline u32 core_set_next(const struct core_set *s, u32 from)
{
	for (u32 i = from / 64; i < CORE_SET_WORDS; i++) {
		u64 w = s->w[i];

		if (i == from / 64)
			w &= ~0ul << (from % 64);
		if (w)
			return i * 64 + (u32)__builtin_ctzl(w);
	}
	return NO_CORE;
}

static inline u32 core_set_first(const struct core_set *s)
{
	return core_set_next(s, 0);
}

#define core_set_for_each(core, set)                                                               \
	for (u32 core = core_set_first(set); core != NO_CORE; core = core_set_next(set, core + 1))

/**
 * Write @s as bytes of a bit map.
 *
 * @at   receives the index of the first byte
 * @out  room for CORE_SET_BYTES
 * Returns the number of bytes, 0 if @s is empty.
 */
static inline u8 core_set_pack(const struct core_set *s, u8 *at, u8 *out)
{
	u8 bytes[CORE_SET_BYTES];
	u32 lo = 0, hi = CORE_SET_BYTES;

	memcpy(bytes, s->w, sizeof(bytes)); /* little endian: byte i holds cores 8i to 8i+7 */
	while (lo < hi && !bytes[lo])
		lo++;
	while (hi > lo && !bytes[hi - 1])
		hi--;
	*at = (u8)lo;
	memcpy(out, bytes + lo, hi - lo);
	return (u8)(hi - lo);
}

/* Read a set that core_set_pack() wrote. Returns false if it does not fit in @ncores cores. */
static inline bool core_set_unpack(struct core_set *s, u32 at, const u8 *in, u32 len, u32 ncores)
{
	u8 bytes[CORE_SET_BYTES] = {0};

	if (at > CORE_SET_BYTES || len > CORE_SET_BYTES - at)
		return false;
	memcpy(bytes + at, in, len);
	memcpy(s->w, bytes, sizeof(bytes));
	return core_set_next(s, ncores) == NO_CORE;
}

#endif
