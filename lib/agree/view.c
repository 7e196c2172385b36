/*
 * Which cores live: suspicion, fencing, and agreement on the dead.
 *
 *   suspecting core        leader: the lowest core that lives     every live core
 *   view_tick  --SUSPECT-->  view_suspect_rx  asks the suspect
 *                                             itself (PING)
 *                          no answer: AGREE_OUT_FENCE; agree_fenced
 *                          view_start    --VIEW_PREPARE-->     view_prepare_rx  hears the
 *                                                              dead no more, and claims what
 *                                        <--CLAIM, VIEW_ACK--  it holds of theirs (rehome.c)
 *                          view_ack_rx
 *                          all have:     --VIEW_COMMIT-->      view_commit_rx   begins to
 *                                                              repair what the dead left
 *
 * Suspicion begins only where an answer is owed: a core that nobody waits for is never asked,
 * except by the core before it, if that was told to (agree_watch). A core that answers a PING is
 * alive, however long the answer itself takes. Every suspected core is stopped (fenced) before a
 * view without it is prepared, so a wrong suspicion costs that core and nothing else. The set of
 * the dead only grows.
 *
 * When the leader dies, the next lowest core takes over; it fences the leader before it leads,
 * so there is one at a time. Epochs have the leader's number in their upper half and therefore
 * rise from leader to leader. A core that knows of a death which the leader's PREPARE leaves out
 * says so instead of acknowledging, and the leader prepares again.
 *
 * Not here: what becomes of the objects of the dead (rehome.c).
 * Runs in: the monitor, and host programs.
 */
#include "internal.h"

const struct core_set *agree_dead(const struct agree *a)
{
	return &a->view.buried;
}

bool agree_is_live(const struct agree *a, u32 core)
{
	return core < a->ncores && !core_set_has(&a->view.dead, core);
}

u64 agree_epoch(const struct agree *a)
{
	return a->view.epoch;
}

/* The lowest core that is not known to have stopped. */
u32 view_leader(const struct agree *a)
{
	struct core_set live = a->view.all;

	core_set_minus(&live, &a->view.dead);
	return core_set_first(&live);
}

/* The lowest core that is neither stopped nor, as far as this core knows, about to be. */
static u32 leader_to_be(const struct agree *a)
{
	struct core_set live = a->view.all;

	core_set_minus(&live, &a->view.dead);
	core_set_minus(&live, &a->view.stopped);
	core_set_minus(&live, &a->view.suspects);
	return core_set_first(&live);
}

u32 agree_leader(const struct agree *a)
{
	return view_leader(a);
}

/* Suspecting. */

static void ping_send(struct agree *a, u32 to, u16 type, u64 stamp)
{
	struct msg_agree_short m = {.len = sizeof(m), .stamp = stamp};

	agree_send(a, to, type, &m, sizeof(m));
}

void view_pong_due(struct agree *a, u32 from, u16 type, const struct msg_agree_short *m)
{
	if (type == AGREE_PING)
		ping_send(a, from, AGREE_PONG, m->stamp);
}

/* The cores that owe this one an answer. */
static void collect_owed(struct agree *a, struct core_set *owed)
{
	const struct agree_view *v = &a->view;

	*owed = v->doubtful;
	core_set_or(owed, &v->suspects);
	request_owed(a, owed);
	for (struct agree_object *o = a->all; o; o = o->all_next) {
		if (o->sh && o->sh->casting)
			core_set_or(owed, &o->sh->cast.awaiting);
		if (o->sh && o->sh->snapping)
			core_set_add(owed, o->sh->snap_to);
		if (o->lock && o->home == a->cfg.self) /* its decision is awaited */
			core_set_add(owed, o->lock->parts->coordinator);
	}
	if (v->gathering) {
		core_set_or(owed, &v->all);
		core_set_minus(owed, &v->acked);
	} else if (v->prepared != v->epoch) {
		core_set_add(owed, v->prepare_from);
	}
	for (struct agree_client *c = a->clients; c; c = c->next)
		c->owed(c, owed);
	if (!core_set_empty(&v->suspects) || !core_set_within(&v->stopped, &v->dead))
		core_set_add(owed, leader_to_be(a));
	core_set_minus(owed, &v->dead);
	core_set_minus(owed, &v->stopped);
	core_set_del(owed, a->cfg.self);
}

void agree_watch(struct agree *a)
{
	a->watching = true;
}

/* The core whose death this one shall notice though nobody waits for it, or NO_CORE. */
static u32 watched_core(const struct agree *a)
{
	for (u32 i = 1; a->watching && i < a->ncores; i++) {
		u32 core = (a->cfg.self + i) % a->ncores;

		if (!core_set_has(&a->view.dead, core) && !core_set_has(&a->view.stopped, core))
			return core;
	}
	return NO_CORE;
}

static void act_on_suspicion(struct agree *a);

/* @core owes an answer: see whether it is there. */
static void watch(struct agree *a, u32 core)
{
	struct agree_peer *p = &a->peers[core];
	u64 since;

	if (!p->owed) {
		p->owed = true;
		p->pinged = false;
		p->owed_ns = a->now_ns;
	}
	if (p->pinged && p->heard_ns >= p->pinged_ns) {
		p->pinged = false;
		core_set_del(&a->view.doubtful, core);
		if (!core_set_has(&a->view.fencing, core))
			core_set_del(&a->view.suspects, core);
	}
	since = MAX(p->owed_ns, p->heard_ns);
	if (!p->pinged && a->now_ns - since >= a->cfg.ping_after_ns) {
		p->pinged = true;
		p->pinged_ns = a->now_ns;
		ping_send(a, core, AGREE_PING, a->now_ns);
	} else if (p->pinged && a->now_ns - p->pinged_ns >= a->cfg.suspect_after_ns) {
		core_set_add(&a->view.suspects, core);
	}
}

/*
 * Time has passed. If this core itself was stopped for long, the others have had no chance to
 * be heard: they get their time anew.
 */
void view_tick(struct agree *a)
{
	bool dozed = a->now_ns - a->tick_ns > a->cfg.suspect_after_ns / 2;
	u32 next = watched_core(a);
	struct core_set owed;

	collect_owed(a, &owed);
	a->stirred = !core_set_empty(&owed);
	if (next != NO_CORE)
		core_set_add(&owed, next);
	for (u32 core = 0; core < a->ncores; core++) {
		struct agree_peer *p = &a->peers[core];

		if (dozed && p->pinged)
			p->pinged_ns = a->now_ns;
		if (!core_set_has(&owed, core))
			p->owed = false;
		else if (agree_ready(a))
			watch(a, core);
	}
	if (agree_ready(a))
		act_on_suspicion(a);
}

/* Fencing. */

static void suspect_send(struct agree *a, u32 to, u32 core, bool stopped)
{
	struct msg_agree_suspect m = {sizeof(m), (u16)core, stopped};

	agree_send(a, to, AGREE_SUSPECT, &m, sizeof(m));
}

static void view_start(struct agree *a);

/* Fence suspects and lead, if that falls to this core; otherwise tell who does. */
static void act_on_suspicion(struct agree *a)
{
	struct agree_view *v = &a->view;
	u32 leader = leader_to_be(a), first;
	struct core_set todo = v->suspects;
	struct core_set live = v->all;

	core_set_or(&todo, &v->stopped);
	core_set_minus(&todo, &v->dead);
	core_set_for_each (core, &todo) {
		bool stopped = core_set_has(&v->stopped, core);

		if (leader != a->cfg.self) {
			suspect_send(a, leader, core, stopped);
		} else if (!stopped && !core_set_has(&v->fencing, core)) {
			core_set_add(&v->fencing, core);
			wire_out(a, AGREE_OUT_FENCE, core, 0, 0);
		}
	}
	core_set_minus(&live, &v->dead);
	core_set_minus(&live, &v->stopped);
	first = core_set_first(&live);
	if (first == a->cfg.self && !core_set_within(&v->stopped, &v->dead))
		view_start(a);
}

int agree_fenced(struct agree *a, u32 core)
{
	if (core >= a->ncores || core == a->cfg.self || core_set_has(&a->view.dead, core))
		return 0;
	core_set_add(&a->view.stopped, core);
	a->stirred = true;
	a->view.must_act = true;
	return agree_pump(a);
}

/* A core was found to have stopped: do what follows. Returns false if there is nothing to do. */
bool view_act_step(struct agree *a)
{
	if (!a->view.must_act)
		return false;
	a->view.must_act = false;
	act_on_suspicion(a);
	return true;
}

/* Another core doubts that a core lives, or knows that it does not. */
void view_suspect_rx(struct agree *a, u32 from, const struct msg_agree_suspect *m)
{
	(void)from;
	if (core_set_has(&a->view.dead, m->core))
		return;
	a->stirred = true;
	if (!m->stopped) {
		core_set_add(&a->view.doubtful, m->core);
	} else if (!core_set_has(&a->view.stopped, m->core)) {
		core_set_add(&a->view.stopped, m->core);
		act_on_suspicion(a);
	}
}

/* Preparing a view. */

static void tell_all(struct agree *a, u16 type)
{
	a->view.tell = type;
	a->view.tell_at = 0;
}

/* The leader's word goes to one core after the other. Returns false if all have it. */
bool view_tell_step(struct agree *a)
{
	static const struct core_set nobody;
	struct agree_view *v = &a->view;
	struct msg_agree_view m = {.epoch = v->prepared};

	if (!v->tell)
		return false;
	if (v->tell_at == a->ncores) {
		v->tell = 0;
		return true;
	}
	if (v->tell_at != a->cfg.self)
		wire_send_set(a, v->tell_at, v->tell, &m, sizeof(m), &m.set_at, &m.set_len,
			      v->tell == AGREE_VIEW_PREPARE ? &v->dead : &nobody, NULL, 0);
	v->tell_at++;
	return true;
}

/* Hear @dead no more, and claim what this core holds of theirs. */
static void prepare(struct agree *a, u32 from, u64 epoch, const struct core_set *dead)
{
	struct agree_view *v = &a->view;
	struct core_set newly = *dead;

	core_set_minus(&newly, &v->dead);
	v->dead = *dead;
	v->prepared = epoch;
	v->prepare_from = (u16)from;
	v->owe_ack = true;
	core_set_minus(&v->suspects, dead);
	core_set_minus(&v->doubtful, dead);
	core_set_or(&v->stopped, dead);
	core_set_for_each (core, &newly) {
		wire_close(a, core);
		core_set_add(&v->closing, core);
		wire_out(a, AGREE_OUT_CLOSE, core, 0, 0);
		for (struct agree_client *c = a->clients; c; c = c->next)
			c->closing(c, core);
	}
	a->sweep = AGREE_SWEEP_CLAIM;
	a->sweep_at = a->all;
}

/* This core leads: have all live cores give up those that stopped. */
static void view_start(struct agree *a)
{
	struct agree_view *v = &a->view;
	struct core_set dead = v->dead;
	u64 epoch = (u64)a->cfg.self << 32;

	core_set_or(&dead, &v->stopped);
	if (v->prepared >> 32 == a->cfg.self)
		epoch = v->prepared;
	rehome_forget(a);
	v->gathering = true;
	v->claims_lost = false;
	memset(&v->acked, 0, sizeof(v->acked));
	prepare(a, a->cfg.self, epoch + 1, &dead);
	tell_all(a, AGREE_VIEW_PREPARE);
}

void view_prepare_rx(struct agree *a, u32 from, u64 epoch, const struct core_set *dead)
{
	struct agree_view *v = &a->view;
	struct core_set missing = v->stopped;

	if (epoch <= v->prepared || epoch >> 32 != from || core_set_has(dead, a->cfg.self) ||
	    from > a->cfg.self)
		return;
	core_set_or(&missing, &v->dead);
	core_set_minus(&missing, dead);
	if (core_set_empty(&missing)) {
		prepare(a, from, epoch, dead);
		return;
	}
	core_set_for_each (core, &missing)
		suspect_send(a, from, core, true);
}

/* Acknowledge the view, once all is claimed and the owner has closed what must be closed. */
void view_ack_if_ready(struct agree *a)
{
	struct agree_view *v = &a->view;
	struct msg_agree_view m = {.len = sizeof(m), .epoch = v->prepared};

	if (!v->owe_ack || a->sweep == AGREE_SWEEP_CLAIM || !core_set_empty(&v->closing))
		return;
	v->owe_ack = false;
	if (v->prepare_from == a->cfg.self)
		view_ack_rx(a, a->cfg.self, v->prepared);
	else
		agree_send(a, v->prepare_from, AGREE_VIEW_ACK, &m, sizeof(m));
}

int agree_closed(struct agree *a, u32 core)
{
	if (core < a->ncores)
		core_set_del(&a->view.closing, core);
	return agree_pump(a);
}

/* Committing to a view. */

static void commit(struct agree *a)
{
	struct agree_view *v = &a->view;

	v->epoch = v->prepared;
	v->buried = v->dead;
	wire_out(a, AGREE_OUT_VIEW, a->cfg.self, v->epoch, 0);
	request_died(a);
	for (struct agree_client *c = a->clients; c; c = c->next)
		c->view(c);
	a->sweep = AGREE_SWEEP_RECOVER;
	a->sweep_at = a->all;
	rehome_seek_heirs(a);
}

void view_ack_rx(struct agree *a, u32 from, u64 epoch)
{
	struct agree_view *v = &a->view;
	struct core_set live = v->all;

	if (!v->gathering || epoch != v->prepared)
		return;
	core_set_add(&v->acked, from);
	core_set_minus(&live, &v->dead);
	if (!core_set_within(&live, &v->acked))
		return;
	if (v->claims_lost) { /* start again when there may be memory for them */
		a->short_of_memory = true;
		return;
	}
	v->gathering = false;
	tell_all(a, AGREE_VIEW_COMMIT);
	commit(a);
}

void view_commit_rx(struct agree *a, u32 from, u64 epoch)
{
	struct agree_view *v = &a->view;

	if (from == v->prepare_from && epoch == v->prepared && epoch != v->epoch && !v->owe_ack)
		commit(a);
}

/* Memory may have come back: a leader without room for all claims gathers them again. */
void view_retry(struct agree *a)
{
	if (a->view.gathering && a->view.claims_lost)
		view_start(a);
}
