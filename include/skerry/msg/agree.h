/*
 * The messages by which monitors agree.
 *
 * Every message starts with its own length. Up to AGREE_LINE bytes it is one line of cache;
 * a longer one is that line followed by AGREE_MORE lines on the same channel, with nothing
 * between them. A set of cores travels as a byte offset and bytes of a bit map (see
 * msg_agree_change); change data follows the structure, and the set if there is one.
 *
 * Messages name objects by identifier, never by address, and are checked by who receives them.
 * What they mean, in order: lib/agree/README.md. All fields are little endian, as x86-64 is.
 */
#ifndef SKERRY_MSG_AGREE_H
#define SKERRY_MSG_AGREE_H

#include <skerry/msg.h>
#include <skerry/types.h>

#define AGREE_LINE MSG_PAYLOAD

enum agree_msg {
	AGREE_MORE = MSG_TYPE(MSG_AGREE, 0), /* the next bytes of the message that is under way */

	AGREE_PING, /* struct msg_agree_short: an answer is owed, are you there? */
	AGREE_PONG,

	AGREE_SUSPECT,      /* msg_agree_suspect: to the leader */
	AGREE_VIEW_PREPARE, /* msg_agree_view, then the set of the dead: from the leader */
	AGREE_CLAIM,        /* msg_agree_claim: what of the dead's I hold */
	AGREE_VIEW_ACK,     /* msg_agree_view, no set */
	AGREE_VIEW_COMMIT,  /* msg_agree_view, no set */
	AGREE_REHOME,       /* msg_agree_rehome, then the set of cores that hold a replica */
	AGREE_WHERE,        /* msg_agree_where: a core that holds no replica seeks the home */
	AGREE_HOME_IS,      /* msg_agree_where */

	AGREE_SHARE_ASK, /* msg_agree_ask, to the home of the object; answered by one REPLY */
	AGREE_CHANGE_ASK,
	AGREE_LEAVE_ASK,
	AGREE_DESTROY_ASK,
	AGREE_TXN_PREPARE,
	AGREE_TXN_COMMIT,
	AGREE_TXN_ABORT,
	AGREE_TXN_RESOLVE,
	AGREE_TXN_DONE, /* msg_agree_ask, but not answered */
	AGREE_REPLY,    /* msg_agree_reply */

	AGREE_CHANGE, /* msg_agree_change: down the tree */
	AGREE_ACK,    /* msg_agree_ack: up the tree */
	AGREE_GONE,   /* msg_agree_object: the destroyed object may be forgotten */

	AGREE_SNAP_BEGIN, /* msg_agree_snap, then the set of replicas */
	AGREE_SNAP_DATA,  /* msg_agree_snap, then one record of the type's */
	AGREE_SNAP_END,   /* msg_agree_snap */
	AGREE_SNAP_ACK,   /* msg_agree_snap */

	AGREE_OWN_END, /* messages of this library's clients follow */

	MEMOWN_ASK = AGREE_OWN_END, /* msg_memown: who has memory to lend? */
	MEMOWN_OFFER,
	MEMOWN_DECLINE,
	MEMOWN_MAP, /* may I map these frames of yours? */
	MEMOWN_MAPPED,
	MEMOWN_DROP,     /* I no longer map them */
	MEMOWN_UNMAP,    /* msg_memown_unmap: down the tree */
	MEMOWN_UNMAPPED, /* msg_memown: up the tree */

	AGREE_MSG_END
};

#define AGREE_MSG_COUNT (AGREE_MSG_END - AGREE_MORE)

struct msg_agree_short {
	u16 len;
	u16 pad[3];
	u64 stamp; /* of the ping, returned in the pong */
};

struct msg_agree_suspect {
	u16 len;
	u16 core;
	u16 stopped; /* 1: known to have stopped; 0: does not answer */
};

struct msg_agree_view {
	u16 len;
	u8 set_at; /* first byte of the set that follows, in bytes of a bit map */
	u8 set_len;
	u32 pad;
	u64 epoch; /* leader in the upper half, the leader's count of views in the lower */
};

#define AGREE_CLAIM_REPLICA 0u
#define AGREE_CLAIM_HOME    1u

struct msg_agree_claim {
	u16 len;
	u16 role; /* AGREE_CLAIM_* */
	u32 pad;
	u64 epoch;
	u64 id;
	u64 seq; /* of the last change applied */
};

struct msg_agree_rehome {
	u16 len;
	u8 set_at;
	u8 set_len;
	u32 pad;
	u64 id;
};

#define AGREE_HOME_LOST 0xffffu

struct msg_agree_where {
	u16 len;
	u16 home; /* in the answer: where it is now, or AGREE_HOME_LOST */
	u32 req;
	u64 id;
};

struct msg_agree_ask {
	u16 len;
	u16 pad;
	u32 req; /* of the asker; returned in the reply */
	u64 id;
	u64 txn; /* of AGREE_TXN_*; otherwise 0 */
};

/* Answers to AGREE_TXN_RESOLVE: what an object knows of a transaction. */
#define AGREE_TXN_UNKNOWN      0
#define AGREE_TXN_IS_PREPARED  1
#define AGREE_TXN_IS_COMMITTED 2

struct msg_agree_reply {
	u16 len;
	u16 pad;
	u32 req;
	s32 status; /* 0 or more, or a negative errno value */
	u32 pad2;
};

enum agree_kind {
	AGREE_KIND_CHANGE = 1, /* data: the type's */
	AGREE_KIND_JOIN,       /* no data: the origin has a replica from here on */
	AGREE_KIND_LEAVE,      /* no data: the origin has none any more */
	AGREE_KIND_PRUNE,      /* data: u16 core[]: struck off; the upper bit tells that it died */
	AGREE_KIND_DIED,       /* no data: the type deals with the dead that were struck off */
	AGREE_KIND_LOCK,       /* data: struct agree_parts, then the type's */
	AGREE_KIND_COMMIT,     /* data: u64 transaction */
	AGREE_KIND_UNLOCK,     /* data: u64 transaction */
	AGREE_KIND_DESTROY,
	AGREE_KIND_END
};

#define AGREE_PRUNE_DIED 0x8000u

struct msg_agree_change {
	u16 len;
	u8 kind;    /* AGREE_KIND_* */
	u8 set_at;  /* first byte in a bit map over all cores, */
	u8 set_len; /* and bytes of the set that follows: to whom you pass this on */
	u8 pad;
	u16 home; /* who orders */
	u64 id;
	u64 seq;
	u32 round; /* of this home's sendings of changes of this object */
	u32 req;   /* of @origin */
	u16 origin;
	u16 pad2[3];
};

struct msg_agree_ack {
	u16 len;
	u16 home;
	u32 round;
	u64 id;
	u64 seq;
};

struct msg_agree_object {
	u16 len;
	u16 pad[3];
	u64 id;
};

struct msg_agree_snap {
	u16 len;
	u16 type;
	u32 req; /* of the core that asked for the replica */
	u64 id;
	u64 seq;
	u8 set_at;
	u8 set_len;
	u16 pad;
	s32 status; /* of SNAP_ACK: 0, or why the replica was not installed */
};

/* Data of a LOCK: which objects the transaction spans, so that their homes find each other. */
#define AGREE_TXN_MAX 8u

struct agree_parts {
	u64 txn;
	u32 count;
	u32 coordinator;
	u64 id[]; /* ascending */
};

struct msg_memown {
	u16 len;
	u16 owner; /* of MEMOWN_UNMAPPED: who revokes */
	s32 status;
	u32 req;
	u32 round;
	u64 base; /* physical address */
	u64 bytes;
	u64 ledger; /* of MEMOWN_OFFER: the ledger that the range is in */
	u64 stamp;  /* of MEMOWN_MAPPED: how many revocations the owner had begun */
};

struct msg_memown_unmap {
	u16 len;
	u8 set_at;
	u8 set_len;
	u32 owner;
	u32 req; /* of the owner */
	u32 round;
	u64 base;
	u64 bytes;
	u64 stamp;
};

static_assert(sizeof(struct msg_agree_short) == 16, "layout of msg_agree_short");
static_assert(sizeof(struct msg_agree_suspect) == 6, "layout of msg_agree_suspect");
static_assert(sizeof(struct msg_agree_view) == 16, "layout of msg_agree_view");
static_assert(sizeof(struct msg_agree_claim) == 32, "layout of msg_agree_claim");
static_assert(sizeof(struct msg_agree_rehome) == 16, "layout of msg_agree_rehome");
static_assert(sizeof(struct msg_agree_where) == 16, "layout of msg_agree_where");
static_assert(sizeof(struct msg_agree_ask) == 24, "layout of msg_agree_ask");
static_assert(sizeof(struct msg_agree_reply) == 16, "layout of msg_agree_reply");
static_assert(sizeof(struct msg_agree_change) == 40, "layout of msg_agree_change");
static_assert(sizeof(struct msg_agree_ack) == 24, "layout of msg_agree_ack");
static_assert(sizeof(struct msg_agree_object) == 16, "layout of msg_agree_object");
static_assert(sizeof(struct msg_agree_snap) == 32, "layout of msg_agree_snap");
static_assert(sizeof(struct msg_memown) == 48, "layout of msg_memown");
static_assert(sizeof(struct msg_memown_unmap) == 40, "layout of msg_memown_unmap");
static_assert(sizeof(struct msg_memown) <= AGREE_LINE, "one line of cache");

#endif
