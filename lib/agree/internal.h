/*
 * What the files of lib/agree share: the structures behind struct agree, and who calls whom.
 *
 *   agree.c    start and end, events in, the pump
 *   wire.c     lines and messages, the outbox
 *   object.c   the table of objects; the queue of asks at a home
 *   request.c  what this core has asked of a home, until the reply
 *   share.c    share -> snapshot -> install; leave
 *   change.c   a change: ordered, sent down the tree, applied, acknowledged
 *   txn.c      two-phase commit, coordinator and homes
 *   resolve.c  two-phase commit whose coordinator died
 *   view.c     suspicion, fencing, agreement on who is dead
 *   rehome.c   what happens to the objects of the dead
 */
#ifndef AGREE_INTERNAL_H
#define AGREE_INTERNAL_H

#include <errno.h>

#include <agree/agree.h>
#include <agree/tree.h>

#define AGREE_BUCKETS   256u
#define AGREE_PRUNE_MAX 16u /* replicas struck off in one change */

/* A status that never leaves the library: the core asked is not the home; find it again. */
#define AGREE_NOT_HOME (-0x7fff)
/* Another: the home is busy with the same transaction; ask again at the next tick. */
#define AGREE_LATER (-0x7ffe)

/* A transaction's hold on an object: replicated by a LOCK, ended by UNLOCK or after COMMIT. */
struct agree_lock {
	struct agree_parts *parts; /* allocated with @len bytes: the LOCK's data */
	u32 len;
	bool committed;
	/* At the home only: */
	u16 wish; /* AGREE_TXN_PREPARE, COMMIT or ABORT: what was asked last; else 0 */
	u16 wish_from;
	u32 wish_req;
	bool inherited; /* locked when this core became the home */
	bool released;  /* nothing more will be asked of it */
	struct agree_resolve *resolve;
};

/* An ask waiting at the home. */
struct agree_ask {
	struct agree_ask *next;
	u16 type; /* AGREE_*_ASK or AGREE_TXN_PREPARE */
	u16 from;
	u32 req;
	u64 txn;
	u32 len;
	const u8 *data;
};

/* A change, as ordered. */
struct agree_change {
	u8 kind;
	u16 origin;
	u32 req;
	u32 len;
	const void *data;
};

/* Whom to tell what became of a request: @done, or if that is NULL, the owner. */
struct agree_answer {
	u64 token;
	agree_done *done;
	void *arg;
};

enum agree_fate {
	AGREE_FATE_WAIT,     /* for an answer, or parked */
	AGREE_FATE_SEND,     /* to the home, whoever it is */
	AGREE_FATE_LATER,    /* send it at the next tick */
	AGREE_FATE_FINISHED, /* with @status */
};

/* Something asked of the home of an object. */
struct agree_request {
	struct agree_request *next;
	u32 id;
	u16 type;     /* AGREE_*_ASK, AGREE_TXN_* */
	u16 dest;     /* who owes the answer; NO_CORE: parked until the home is known */
	bool seeking; /* @dest is the leader, asked where the home is */
	bool orphan;  /* its object is lost, and the heir is to make it anew */
	bool rider;   /* for a replica that another request is already getting */
	bool applied; /* this core has applied it, as change @applied_seq */
	u8 fate;      /* enum agree_fate: what the pump is to do */
	s64 status;
	u64 applied_seq;
	u64 obj;
	u64 txn;
	u32 len;
	const u8 *data;
	agree_done *done;
	void *arg;
	u64 token;
	size_t alloc_bytes; /* to free; 0: part of something else */
};

/* What an object needs once it has replicas. */
struct agree_shared {
	struct core_set members;  /* replicated: who has a replica */
	struct core_set died;     /* replicated: struck off as dead, and the type not told yet */
	struct core_set unwanted; /* home: to be struck off though alive */
	struct agree_change last; /* the last change applied; data in last_data */
	bool have_last;
	bool recovering; /* home: send last again before anything else */
	struct agree_cast cast;
	bool casting;
	u16 cast_home; /* who ordered what is being cast, and its round */
	u16 cast_parent;
	u32 round;
	bool snapping; /* home: a snapshot is on its way to snap_to */
	bool snap_sent;
	u16 snap_to;
	u32 snap_req;
	u64 snap_cursor;
	struct agree_request leave; /* when this core gives its replica up */
	u8 last_data[];             /* data_max bytes */
};

enum agree_phase {
	AGREE_JOINING, /* a place for a snapshot to be installed in */
	AGREE_ACTIVE,
	AGREE_HOLLOW, /* given up: passes changes on, but holds no state */
	AGREE_DYING,  /* destroyed, until every replica has heard so */
};

struct agree_object {
	struct agree_object *next; /* in its bucket */
	struct agree_object *all_prev, *all_next;
	struct agree_object *kick_next;
	u64 id;
	u64 seq;
	const struct agree_type *type;
	void *state;
	struct agree_shared *sh; /* NULL until first shared */
	struct agree_lock *lock;
	struct agree_ask *queue, **queue_end;
	u16 home;
	u8 phase; /* enum agree_phase */
	bool kicked;
	bool leased;
	bool recalling;
	int install_err;
	u32 join_req; /* while joining */
};

/* A transaction at its coordinator, which is the core that asked for it. */
struct agree_txn {
	struct agree_txn *next;
	u64 id;
	u64 token;
	u32 count;
	u32 at; /* parts locked */
	u32 pending;
	s64 status;
	size_t alloc_bytes;
	struct agree_txn_part {
		struct agree_txn *txn;
		struct agree_request req;
		u64 id;
		u8 *data; /* struct agree_parts, then the type's */
		u32 len;
	} part[];
};

struct agree_peer {
	u64 heard_ns;
	u64 owed_ns;
	u64 pinged_ns;
	u8 *buf; /* data_max bytes: a long message being put together */
	u16 type;
	u16 have;
	u16 want;
	bool owed;
	bool pinged;
};

/* What the leader knows of an object whose home died. */
struct agree_orphan {
	struct agree_orphan *next;
	u64 id;
	u64 seq;
	u16 home; /* who claims to be the home already, or NO_CORE */
	u16 best; /* the lowest of those with the newest state */
	struct core_set holders;
};

struct agree_view {
	u64 epoch;    /* agreed on */
	u64 prepared; /* the newest asked for */
	u16 prepare_from;
	bool owe_ack;
	struct core_set all;
	struct core_set dead;     /* stopped, and not listened to any more */
	struct core_set buried;   /* of these, those in the agreed view */
	struct core_set closing;  /* the owner has not confirmed yet */
	struct core_set doubtful; /* others suspect them: to be asked */
	struct core_set suspects;
	struct core_set fencing;
	struct core_set stopped; /* known to have stopped */
	bool must_act;           /* one of them was only just found */
	u16 tell; /* AGREE_VIEW_PREPARE or COMMIT, being sent to all from @tell_at on; or 0 */
	u32 tell_at;
	/* at the leader */
	bool gathering;
	bool claims_lost; /* no memory for one: gather again */
	struct core_set acked;
	struct agree_orphan *orphans[AGREE_BUCKETS];
	u32 orphan_bucket; /* those before have a home */
};

enum agree_sweep { AGREE_SWEEP_NONE, AGREE_SWEEP_CLAIM, AGREE_SWEEP_RECOVER };

struct agree {
	struct agree_config cfg;
	struct agree_tree tree;
	u32 ncores;
	u32 step_max;
	u64 now_ns;
	u64 next_serial;
	u32 next_req;
	u64 next_txn;
	bool short_of_memory; /* something was put off for want of it: try at the next tick */
	u64 tick_ns;          /* of the last tick */
	bool pumping;
	bool watching; /* agree_watch */
	bool stirred;  /* something was sent since the last tick: an answer may be owed */
	struct agree_counts counts;

	u32 out_head, out_count;

	struct agree_object *buckets[AGREE_BUCKETS];
	struct agree_object *all, *all_last;
	struct agree_object *kicked, **kicked_end;
	struct agree_object *sweep_at;
	u8 sweep; /* enum agree_sweep */

	struct agree_request *requests;
	struct agree_txn *txns;
	struct agree_client *clients;
	struct agree_wellknown *wellknown;
	struct agree_view view;
	struct agree_peer peers[];
};

/* wire.c */
void wire_send_set(struct agree *a, u32 to, u16 type, void *head, u32 head_len, u8 *set_at,
		   u8 *set_len, const struct core_set *set, const void *data, u32 len);
void wire_send(struct agree *a, u32 to, u16 type, void *head, u32 head_len, const void *data,
	       u32 len);
int wire_rx(struct agree *a, u32 from, u16 type, const void *line);
void wire_close(struct agree *a, u32 core);
void wire_out(struct agree *a, u16 kind, u32 core, u64 token, s64 status);

/* object.c */
struct agree_object *object_find(struct agree *a, u64 id);
struct agree_object *object_new(struct agree *a, u64 id, u32 type);
struct agree_shared *object_share(struct agree *a, struct agree_object *o);
void object_free(struct agree *a, struct agree_object *o);
void object_go_hollow(struct agree *a, struct agree_object *o);
void object_drop_state(struct agree_object *o);
void object_kick(struct agree *a, struct agree_object *o);
void object_advance(struct agree *a, struct agree_object *o);
void object_ask_rx(struct agree *a, u32 from, u16 type, const struct msg_agree_ask *m,
		   const u8 *data, u32 len);
void object_ask_refuse(struct agree *a, struct agree_object *o, s64 status);
void object_drop_asks_of_dead(struct agree *a, struct agree_object *o);
bool object_readable(const struct agree_object *o);

/* request.c */
struct agree_request *request_new(struct agree *a, u16 type, u64 obj, const struct agree_op *op,
				  const struct agree_answer *answer);
void request_start(struct agree *a, struct agree_request *r);
void request_free(struct agree *a, struct agree_request *r);
void request_result(struct agree *a, void *arg, s64 status);
void request_reply(struct agree *a, u32 to, u32 req, s64 status);
void request_reply_rx(struct agree *a, u32 from, const struct msg_agree_reply *m);
void request_where_rx(struct agree *a, u32 from, const struct msg_agree_where *m);
void request_applied(struct agree *a, struct agree_object *o, const struct agree_change *c);
void request_home_moved(struct agree *a, struct agree_object *o, bool settled);
void request_died(struct agree *a);
void request_retry(struct agree *a);
bool request_under_way(struct agree *a, u64 obj);
void request_finish(struct agree_request *r, s64 status);
void request_cancel(struct agree *a, struct agree_request *r);
bool request_step(struct agree *a);
void request_owed(const struct agree *a, struct core_set *owed);
struct agree_request *request_find(struct agree *a, u32 id);

/* share.c */
void share_begin(struct agree *a, struct agree_object *o, const struct agree_ask *ask);
void share_ordered(struct agree *a, struct agree_object *o, u32 to, u32 req);
void share_snapshot_step(struct agree *a, struct agree_object *o);
void share_begin_rx(struct agree *a, u32 from, const struct msg_agree_snap *m,
		    const struct core_set *members);
void share_data_rx(struct agree *a, u32 from, const struct msg_agree_snap *m, const void *rec,
		   u32 len);
void share_end_rx(struct agree *a, u32 from, const struct msg_agree_snap *m);
void share_ack_rx(struct agree *a, u32 from, const struct msg_agree_snap *m);
void share_peer_died(struct agree *a, struct agree_object *o);
void leave_quietly(struct agree *a, struct agree_object *o);

/* change.c */
void change_ask(struct agree *a, struct agree_object *o, const struct agree_ask *ask);
void change_order(struct agree *a, struct agree_object *o, const struct agree_change *c);
void change_order_prune(struct agree *a, struct agree_object *o);
void change_rx(struct agree *a, u32 from, const struct msg_agree_change *m,
	       const struct core_set *subset, const void *data, u32 len);
void change_ack_rx(struct agree *a, u32 from, const struct msg_agree_ack *m);
void change_again(struct agree *a, struct agree_object *o);
void change_gone_rx(struct agree *a, u32 from, const struct msg_agree_object *m);
void change_destroyed(struct agree *a, struct agree_object *o);

/* txn.c */
void txn_prepare_begin(struct agree *a, struct agree_object *o, const struct agree_ask *ask);
void txn_told_rx(struct agree *a, u32 from, u16 type, const struct msg_agree_ask *m,
		 struct agree_object *o);
bool txn_locked_by(const struct agree_object *o, u64 txn);
bool txn_advance(struct agree *a, struct agree_object *o);
int txn_lock(struct agree *a, struct agree_object *o, const struct agree_change *c);
void txn_commit(struct agree_object *o);
void txn_unlock(struct agree *a, struct agree_object *o);
void txn_lock_free(struct agree *a, struct agree_object *o);
void txn_free_all(struct agree *a);
struct agree_op txn_lock_op(const struct agree_lock *lock);

/* resolve.c */
bool resolve_needed(const struct agree *a, const struct agree_lock *lock);
void resolve_start(struct agree *a, struct agree_object *o);
void resolve_forget(struct agree *a, struct agree_lock *lock);

/* view.c */
u32 view_leader(const struct agree *a);
bool view_act_step(struct agree *a);
bool view_tell_step(struct agree *a);
void view_tick(struct agree *a);
void view_pong_due(struct agree *a, u32 from, u16 type, const struct msg_agree_short *m);
void view_suspect_rx(struct agree *a, u32 from, const struct msg_agree_suspect *m);
void view_prepare_rx(struct agree *a, u32 from, u64 epoch, const struct core_set *dead);
void view_ack_rx(struct agree *a, u32 from, u64 epoch);
void view_retry(struct agree *a);
void view_commit_rx(struct agree *a, u32 from, u64 epoch);
void view_ack_if_ready(struct agree *a);

/* rehome.c */
bool rehome_sweep(struct agree *a);
void rehome_claim_rx(struct agree *a, u32 from, const struct msg_agree_claim *m);
void rehome_forget(struct agree *a);
bool rehome_tell(struct agree *a);
void rehome_rx(struct agree *a, u32 from, u64 id, const struct core_set *holders);
void rehome_where_rx(struct agree *a, u32 from, const struct msg_agree_where *m);
void rehome_seek_heirs(struct agree *a);
u32 rehome_heir(const struct agree *a, u64 id);
void rehome_done(struct agree *a, struct agree_object *o);

#endif
