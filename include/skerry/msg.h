/*
 * What every message between cores and between domains looks like: one line of cache.
 *
 *   byte 0                                                        56      63
 *   +------------------------------------------------------------+---------+
 *   | payload: a structure that the type names                   | header  |
 *   +------------------------------------------------------------+---------+
 *
 *   header:  63    32 31    30     16 15      0
 *            | lap   | end | epoch   | type    |
 *
 * The header is written last and read first, so a message is whole when its header is seen. The
 * lap counts the rounds of the ring from 1 and wraps: with the line's place in the ring it makes
 * a sequence number that is never written. 'end' closes the channel. How lines make a channel:
 * lib/ump/ump.h.
 *
 * A type is a class (who speaks) and a number that the class gives out. Domains count their
 * messages by class. A payload is a plain structure that fits (assert it with MSG_FITS), without
 * addresses; what a receiver finds in it is untrusted.
 */
#ifndef SKERRY_MSG_H
#define SKERRY_MSG_H

#include <skerry/types.h>

#define MSG_LINE    64u
#define MSG_PAYLOAD 56u

struct ump_line {
	u64 word[MSG_PAYLOAD / 8];
	u64 header;
};

static_assert(sizeof(struct ump_line) == MSG_LINE, "one message is one line of cache");

/* A message as its receiver holds it: a copy, which its sender cannot change any more. */
struct msg {
	union {
		u64 word[MSG_PAYLOAD / 8];
		u8 payload[MSG_PAYLOAD];
	};
	u16 type;
};

/* Assert that a payload structure fits into a message. */
#define MSG_FITS(type)          static_assert(sizeof(type) <= MSG_PAYLOAD, "longer than a message")

#define MSG_TYPE(class, number) ((u16)((class) << 12 | (number))) /* number: 12 bits */
#define MSG_CLASSES             16u
#define MSG_CLASS(type)         ((u32)(u16)(type) >> 12)

/* Who speaks. */
#define MSG_PRIVATE 0u /* two domains among themselves */
#define MSG_MONITOR 1u /* monitors: links, routes, starting cores and programs */
#define MSG_AGREE   2u /* monitors: replicated objects */
#define MSG_MEMORY  3u /* monitors: ownership of memory */
#define MSG_CONSOLE 4u
#define MSG_BULK    5u /* lending and returning blocks of shared frames */
#define MSG_SHARD   6u /* personalities: calls between cores */
#define MSG_TEST    15u

/* Part of a frame that the two ends of a channel share, lent by the end that owns the frame.
 * May be a part of a larger payload. See lib/ump/bulk.h. */
struct msg_bulk {
	u64 offset; /* in the frame */
	u32 len;    /* bytes */
	u32 frame;  /* which one: numbered by the two ends as they agree */
};

MSG_FITS(struct msg_bulk);

#define MSG_BULK_LEND   MSG_TYPE(MSG_BULK, 1) /* payload: struct msg_bulk */
#define MSG_BULK_RETURN MSG_TYPE(MSG_BULK, 2) /* the same, unchanged */

#endif
