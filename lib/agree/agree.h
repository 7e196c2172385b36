/*
 * Agreement between cores: replicated objects, transactions over them, and which cores live.
 *
 * One struct agree is one core's part. It does no I/O: its owner (the monitor, a test, the
 * simulator) hands in what happens (agree_rx, agree_tick, agree_fenced, agree_closed and
 * requests) and then takes every entry out of the outbox (agree_out). Nothing here blocks,
 * reads a clock or calls back, except the functions of the object types and of the clients that
 * the owner registered. The same calls in the same order give the same outputs.
 *
 * The states of the protocols and the contract with the owner: lib/agree/README.md.
 * The wire format: include/skerry/msg/agree.h.
 */
#ifndef AGREE_AGREE_H
#define AGREE_AGREE_H

#include <agree/core_set.h>
#include <skerry/machine.h>
#include <skerry/msg/agree.h>
#include <skerry/types.h>

/*
 * Identifiers: the core that created the object, and its serial number there. Serials below
 * AGREE_FIRST_SERIAL are for objects that exist from the start, under names all cores know.
 */
#define AGREE_ID(core, serial) ((u64)(core) << 48 | (u64)(serial))
#define AGREE_FIRST_SERIAL     16u

static inline u32 agree_id_birth(u64 id)
{
	return (u32)(id >> 48);
}

struct agree;
struct agree_request;

/* A change as an object's type sees it. */
struct agree_op {
	const void *data;
	u32 len;
	u32 origin; /* the core that asked */
};

/**
 * What a kind of object is. All functions are deterministic and make no calls to this library.
 *
 * create     makes the state at the birth home (@arg from agree_create), or an empty state to
 *            install a snapshot into (@arg is NULL). NULL: no memory.
 * destroy    frees the state.
 * check      at home only: may @op be made now? No effect. 0 or a negative errno value.
 * reserve    sets memory aside so that performing @op cannot fail; 0 or -ENOMEM. Optional.
 * release    gives back what reserve set aside, when the operation is not made after all.
 * perform    makes the change; it was checked at home and reserved here, so it cannot fail.
 * snapshot   writes the next record of the state into @buf and moves @cursor (0 at first) on;
 *            returns its length, at most @cap; 0 at the end.
 * install    takes one record of a snapshot; 0, -ENOMEM, or -EINVAL if it makes no sense.
 * member_died  a core with a replica died: let go of what the object held for it. Cannot fail.
 */
struct agree_type {
	const char *name;
	void *(*create)(void *ctx, u64 id, const void *arg);
	void (*destroy)(void *state);
	int (*check)(const void *state, const struct agree_op *op);
	int (*reserve)(void *state, const struct agree_op *op);
	void (*release)(void *state, const struct agree_op *op);
	void (*perform)(void *state, const struct agree_op *op);
	u32 (*snapshot)(const void *state, u64 *cursor, void *buf, u32 cap);
	int (*install)(void *state, const void *record, u32 len);
	void (*member_died)(void *state, u32 core, const struct core_set *members);
};

/* Where memory comes from. alloc gives zeroed memory or NULL. */
struct agree_memory {
	void *(*alloc)(void *ctx, size_t bytes);
	void (*free)(void *ctx, void *p, size_t bytes);
	void *ctx;
};

/* How a change travels to the replicas. */
enum agree_strategy {
	AGREE_TREE,    /* sockets first, the farthest first; then cores */
	AGREE_FLAT,    /* the home sends to all, at once */
	AGREE_UNICAST, /* the home sends to one, and to the next when that one answered */
};

#define AGREE_TYPES_MAX 8u

struct agree_config {
	u32 self;
	const struct machine *machine;                   /* stays the caller's; read only */
	const struct agree_type *types[AGREE_TYPES_MAX]; /* by type number; the same on all cores */
	void *type_ctx[AGREE_TYPES_MAX];                 /* for their create() */
	struct agree_memory memory;
	enum agree_strategy strategy;
	u32 fanout;   /* of the tree, per level: 2 to 16; 0: 8 */
	u32 data_max; /* longest message, 256 to 8192 bytes; 0: 1024. The same on all cores */
	struct agree_out *out; /* the outbox: memory for @out_slots entries */
	u32 out_slots;         /* at least twice agree_step_max() */
	u64 ping_after_ns; /* an answer owed for so long: ask whether the core is there; 0: 1 s */
	u64 suspect_after_ns; /* and no answer to that: suspect it; 0: 10 s */
	/* Told of every change this replica applies, in order; for tests and traces. May be NULL.
	 */
	void (*observe)(void *ctx, u64 id, u64 seq, u32 kind, const struct agree_op *op);
	void *observe_ctx;
};

/* What the owner must do. */
enum agree_out_kind {
	AGREE_OUT_SEND,   /* @core, @type, @line: put this line on the channel to @core */
	AGREE_OUT_RESULT, /* @token, @status: the answer to a request of the owner's */
	AGREE_OUT_FENCE,  /* @core: stop it for good, then call agree_fenced(core) */
	AGREE_OUT_CLOSE,  /* @core has stopped: drop its channel, unmap what is mapped of its
			   * frames, then call agree_closed(core) */
	AGREE_OUT_VIEW,   /* the set of live cores has changed (agree_live) */
	AGREE_OUT_RECALL, /* @token is an object: end the lease, then call agree_recalled() */
	AGREE_OUT_UNMAP, /* from lib/memown: unmap @range on this core, then memown_unmapped(@token)
			  */
};

struct agree_range {
	u64 base;
	u64 bytes;
};

struct agree_out {
	u16 kind; /* AGREE_OUT_* */
	u16 core;
	u16 type; /* enum agree_msg */
	u16 pad;
	s64 status;
	u64 token;
	union {
		u8 line[AGREE_LINE];
		struct agree_range range;
	};
};

/**
 * A part of the monitor that speaks through this library (lib/memown): it gets the messages
 * from AGREE_OWN_END on, and is told of deaths.
 *
 * rx       a whole message of type @type. Checks it itself.
 * closing  @core has stopped; the view has not changed yet.
 * view     the dead of agree_dead() are agreed on; what was theirs is being re-homed.
 * owed     add the cores whose answer is waited for.
 * step     go on with one piece of work that needs room in the outbox; false: there is none.
 */
struct agree_client {
	void (*rx)(struct agree_client *c, u32 from, u16 type, const void *msg, u32 len);
	void (*closing)(struct agree_client *c, u32 core);
	void (*view)(struct agree_client *c);
	void (*owed)(struct agree_client *c, struct core_set *owed);
	bool (*step)(struct agree_client *c);
	struct agree_client *next; /* the library's */
};

/* An object that exists from the start, and that @heir makes anew if all its replicas died. */
struct agree_wellknown {
	u64 id;
	u32 type;
	u32 (*heir)(const struct agree *a, u64 id); /* a live core, the same on every core */
	const void *(*arg)(const struct agree *a,
			   u64 id);   /* for create() at the heir; may be NULL */
	struct agree_wellknown *next; /* the library's, as is what follows */
	bool seeking;
};

/**
 * Bytes of memory a struct agree needs on a machine of @ncores cores.
 */
size_t agree_size(u32 ncores);

/* Outbox entries that one call may need, by configuration; see agree_config.out_slots. */
u32 agree_step_max(const struct agree_config *cfg);

/**
 * Start this core's part. All cores of the machine are taken to be alive.
 *
 * @mem  agree_size() bytes, zeroed, 8-byte aligned
 * Returns 0 or -EINVAL (configuration out of range).
 */
int agree_init(struct agree *a, const struct agree_config *cfg);

/* Free every object and request. The owner's outbox and @a's own memory stay the owner's. */
void agree_fini(struct agree *a);

/*
 * Events. Each returns 0 when the event was taken. A line or a tick may be refused: -EAGAIN, the
 * outbox has no room for what could follow; -ENOMEM, no memory to take a long message. Both
 * change nothing: empty the outbox, leave the line in its ring, and hand it in again later.
 * What answers an entry of the outbox (agree_fenced, agree_closed, agree_recalled) is always
 * taken, and may be called while entries are still in it.
 */

/* One line from core @from. Malformed lines are counted and dropped. */
int agree_rx(struct agree *a, u32 from, u16 type, const void *line);

/* Time has passed: @now_ns since any fixed moment. Hand in all lines that are there first. */
int agree_tick(struct agree *a, u64 now_ns);

/* @core has stopped and can never be heard of again: after AGREE_OUT_FENCE, or found so. */
int agree_fenced(struct agree *a, u32 core);

/* What AGREE_OUT_CLOSE asked for has been done. */
int agree_closed(struct agree *a, u32 core);

/* Go on with work that waited for room in the outbox. */
int agree_pump(struct agree *a);

/* Is there room in the outbox for an event or a request? If not, they return -EAGAIN. */
bool agree_ready(const struct agree *a);

/* When agree_tick() must be called next, in its time; 0: not until something else happens. */
u64 agree_deadline(const struct agree *a);

/**
 * From now on this core asks the next one that lives whether it is there whenever it has not heard
 * of it for ping_after_ns, although nobody waits for it. If all cores do so no death stays unknown.
 * Call agree_deadline() anew.
 */
void agree_watch(struct agree *a);

/* The oldest entry of the outbox, or NULL. It stays until agree_out_done(). */
const struct agree_out *agree_out(const struct agree *a);
void agree_out_done(struct agree *a);

/*
 * Requests. 0: taken; exactly one AGREE_OUT_RESULT with @token follows. A negative errno
 * value: refused, nothing follows. Results common to all: -EHOSTDOWN (every replica of the
 * object died), -ENOENT (there is no such object), -ENOMEM (here or at home).
 */

/**
 * Create an object of type @type, exclusive to this core. No message is sent.
 *
 * @id  receives the identifier
 * Returns 0, -EINVAL (no such type), -ENOMEM.
 */
int agree_create(struct agree *a, u32 type, const void *arg, u64 *id);

/* Have a well-known object; creates it now if its birth core is this one. @w stays in use. */
int agree_wellknown(struct agree *a, struct agree_wellknown *w);

/* Get a replica of @id. Result -EEXIST if there is one here. Refused: -EALREADY (this core
 * is just giving its replica up, or the object is being destroyed: ask again later). */
int agree_share(struct agree *a, u64 id, u64 token);

/* Change @id, of which a replica is here. The result comes when every replica has applied it.
 * Results: whatever the type's check() says. Refused: -ENOENT (no replica here), -EMSGSIZE. */
int agree_change(struct agree *a, u64 id, const void *data, u32 len, u64 token);

/* The most bytes that a change may have; a part of a transaction may have 80 less. */
u32 agree_change_max(const struct agree *a);

/* Give this core's replica up: it is unreadable at once. Refused: -EBUSY (this core is the
 * home, or a change of this core's is under way), -ENOENT. */
int agree_leave(struct agree *a, u64 id, u64 token);

/* Destroy @id everywhere. Refused: -ENOENT (no replica here). */
int agree_destroy(struct agree *a, u64 id, u64 token);

struct agree_part {
	u64 id;
	const void *data;
	u32 len;
};

/**
 * Change several objects, all or none; no replica need be here.
 *
 * @parts  1 to AGREE_TXN_MAX, identifiers ascending
 * Result: 0, or what the first check() to refuse said; a part that is lost is -EHOSTDOWN.
 * Refused: -EINVAL (order or count), -EMSGSIZE, -ENOMEM.
 */
int agree_txn(struct agree *a, const struct agree_part *parts, u32 n, u64 token);

/* Let a service of this core change @id directly. -EBUSY if shared or changing, -ENOENT. */
int agree_lease(struct agree *a, u64 id);

/* The lease on @id has ended; its state may be read and sent. */
int agree_recalled(struct agree *a, u64 id);

/* Reading. */

/* The state of this core's replica, or NULL if there is none that may be read. */
void *agree_state(struct agree *a, u64 id);

struct agree_info {
	u64 seq; /* changes applied */
	u32 home;
	u32 members; /* replicas that the home lists, as known here */
	bool exclusive;
	bool locked; /* by a transaction */
};

/* What is known of @id here. 0 or -ENOENT (no readable replica). */
int agree_info(struct agree *a, u64 id, struct agree_info *info);

/* Does @core have a replica of @id, as far as this core's replica knows? */
bool agree_is_member(struct agree *a, u64 id, u32 core);

u32 agree_self(const struct agree *a);
const struct machine *agree_machine(const struct agree *a);
const struct core_set *agree_dead(const struct agree *a); /* agreed on */
u32 agree_leader(const struct agree *a);                  /* the lowest live core */
bool agree_is_live(const struct agree *a, u32 core);

u64 agree_epoch(const struct agree *a);

struct agree_counts {
	u64 sent[AGREE_MSG_COUNT]; /* lines, by type less AGREE_MORE */
	u64 received[AGREE_MSG_COUNT];
	u64 malformed; /* messages dropped */
	u64 requests;  /* under way */
	u64 objects;
};

const struct agree_counts *agree_counts(const struct agree *a);

/* For clients (struct agree_client). */

void agree_client_add(struct agree *a, struct agree_client *c);

/* Send @len bytes, at most data_max, of which the first u16 is @len. Dropped if @to is dead. */
void agree_send(struct agree *a, u32 to, u16 type, const void *msg, u32 len);

/* The same, with @set after the @head_len bytes of @head, whose fields @set_at and @set_len are
 * filled in, as is the length. */
void agree_send_set(struct agree *a, u32 to, u16 type, void *head, u32 head_len, u8 *set_at,
		    u8 *set_len, const struct core_set *set);

/* Append an entry of the client's own to the outbox (AGREE_OUT_UNMAP, AGREE_OUT_RESULT). */
void agree_out_add(struct agree *a, const struct agree_out *o);

typedef void agree_done(struct agree *a, void *arg, s64 status);

/* agree_share() and agree_change() with a function to call instead of a result. */
int agree_share_call(struct agree *a, u64 id, agree_done *done, void *arg);
int agree_change_call(struct agree *a, u64 id, const void *data, u32 len, agree_done *done,
		      void *arg);

void *agree_alloc(struct agree *a, size_t bytes);
void agree_free(struct agree *a, void *p, size_t bytes);

#endif
