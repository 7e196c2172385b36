/*
 * What monitors say to each other: letters.
 *
 * A letter goes from any monitor to any other along the start tree, from neighbour to neighbour,
 * so that it needs no channel of its own; letters of one pair arrive in the order in which they
 * were sent. On the wire it is one or more pieces, each one line (struct msg_piece).
 *
 * What a letter says is untrusted where it carries names and sizes; that it comes from a monitor is
 * given: monitors trust each other with memory.
 */
#ifndef SKERRY_MSG_MONITOR_H
#define SKERRY_MSG_MONITOR_H

#include <skerry/monitor.h>
#include <skerry/msg.h>

#define MSG_PIECE   MSG_TYPE(MSG_MONITOR, 1)
#define PIECE_BYTES 48u
#define LETTER_MAX  3072u

struct msg_piece {
	u16 to;
	u16 from;
	u16 kind; /* enum letter_kind */
	u8 bytes; /* of data in this piece */
	u8 flags;
	u8 data[PIECE_BYTES];
};

#define PIECE_FIRST 1u
#define PIECE_LAST  2u

MSG_FITS(struct msg_piece);

enum letter_kind {
	LETTER_WAVE,        /* to a child: letter_wave: start your children of this wave */
	LETTER_UP,          /* to the parent: letter_up: all of a subtree that comes up has */
	LETTER_MISSING,     /* to core 0: letter_core: did not start */
	LETTER_TEXT,        /* to core 0: a line for the console */
	LETTER_TEXT_TAKEN,  /* from core 0: letter_count: lines that may be forgotten */
	LETTER_LINK_OPEN,   /* letter_link: a direct link is wanted */
	LETTER_LINK_ACCEPT, /* letter_link: ... and here is the other half */
	LETTER_SPAWN,       /* letter_spawn */
	LETTER_STARTED,     /* letter_started */
	LETTER_ENDED,       /* letter_ended */
	LETTER_STOP,        /* letter_task: end a program */
	LETTER_OPEN,        /* letter_open: a channel to a service */
	LETTER_OPENED,      /* letter_opened */
	LETTER_HANGUP,      /* letter_channel: the other end of a channel is gone ... */
	LETTER_RELEASED,    /* letter_channel: ... and no longer writes what the sender lent it */
	LETTER_HALT,        /* letter_count: fault injection, HALT_* */
	LETTER_POWEROFF,    /* to core 0: letter_count: the status */
	LETTER_KINDS
};

struct letter_wave {
	u32 wave;
};

struct letter_up {
	u32 cores; /* in the sender's subtree, not counted before */
};

struct letter_core {
	u32 core;
};

struct letter_count {
	s64 count;
};

struct letter_link {
	u64 rx_phys; /* region in the sender's memory, which the receiver shall write */
	u32 epoch;
	s32 status;
};

struct letter_task {
	u32 task; /* the sender's */
};

struct letter_spawn {
	u32 task;
	u32 reserved;
	struct mon_spawn what; /* cut behind its args_bytes */
};

struct letter_started {
	u32 task; /* the receiver's */
	s32 status;
};

struct letter_ended {
	u32 task;  /* the receiver's */
	u32 death; /* DEATH_* */
	s64 status;
};

struct letter_open {
	u32 channel; /* the sender's */
	u32 bell;    /* number of the opener's doorbell */
	u64 rx_phys; /* as in letter_link */
	u32 ring_bytes;
	u32 bulk_bytes;
	char name[SERVICE_NAME_MAX];
};

struct letter_opened {
	u32 channel; /* the receiver's */
	u32 peer;    /* the sender's */
	u64 rx_phys;
	u32 bell;
	s32 status;
};

struct letter_channel {
	u32 channel; /* the receiver's */
};

static_assert(sizeof(struct letter_spawn) <= LETTER_MAX, "the longest letter");
static_assert(sizeof(struct letter_open) <= PIECE_BYTES, "one piece");

#endif
