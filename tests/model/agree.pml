/*
 * The agreement protocols of lib/agree, for SPIN: three cores, two objects, at most one death.
 *
 * Modelled: share, change, leave, two-phase commit, the death of any core at any step, the view
 * that follows, re-homing, and the resolution of transactions. README.md says which function
 * each step stands for, and what is left out.
 *
 * Checked: assertions on every change that is applied and every answer; in every state without
 * a successor that all requests of live cores are answered and nothing is locked (process
 * Judge); and that there is no other deadlock.
 *
 * A scenario (-DSCENARIO=n) says who has which replica at first, and what each core asks for:
 * see the end. -DCHAIN sends changes through one replica to the next, as a tree does; without
 * it the home sends to each.
 */
#define N 3
#define O 2

#ifndef SCENARIO
#define SCENARIO 1
#endif

#include "scenarios.pml"

#define I(c, o)    ((c) * O + (o))
#define R(c, o, s) (((c) * O + (o)) * 3 + (s))
#define Q(c, o, f) (((c) * O + (o)) * N + (f))
#define BIT(c)     (1 << (c))
#define BIRTH(o)   (o) /* object 0 is born on core 0, object 1 on core 1 */
#define MAXSEQ     10

/* What is asked of a home. */
#define SHARE   1
#define CHANGE  2
#define LEAVE   3
#define PREPARE 4
#define COMMIT  5
#define ABORT   6
#define RESOLVE 7

/* Kinds of change. */
#define K_CHANGE 1
#define K_JOIN   2
#define K_LEAVE  3
#define K_PRUNE  4
#define K_LOCK   5
#define K_COMMIT 6
#define K_UNLOCK 7

/* What was asked when a change of this kind was ordered. */
#define ASKED(k)                                                                                   \
	(k == K_CHANGE -> CHANGE                                                                   \
	 : (k == K_LEAVE -> LEAVE                                                                  \
	    : (k == K_LOCK -> PREPARE : (k == K_COMMIT -> COMMIT : ABORT))))

/* Who asks: a core has one request of each slot under way about each object. */
#define CLIENT   0
#define COORD    1
#define RESOLVER 2

#define NONE    0 /* phases of a replica */
#define JOINING 1
#define ACTIVE  2
#define HOLLOW  3

#define PARKED  3 /* destinations of a request that are no core */
#define SEEKING 4
#define SEND    5 /* to be sent, by the pump */
#define LOST    3

#define OK       0 /* statuses */
#define FAILED   1
#define NOT_HOME 2
#define LATER    3
#define IS_PREPARED  4
#define IS_COMMITTED 5

mtype = { ASK, REPLY, CAST, ACK, SNAP, SNAP_ACK, DONE, VPREPARE, CLAIM, VACK, VCOMMIT, REHOME,
	  WHERE, HOME_IS };

/* type, object, and what the type says of the rest */
chan ch[9] = [6] of { mtype, byte, byte, byte, byte, byte, byte };

bool dead[N];
bool someone_died;
bool judged;

/* Replicas. */
byte phase[6];
byte home[6];
byte seq[6];
byte members[6];
byte lastk[6];
byte lasto[6];
byte lasts[6]; /* at the home: the slot of who asked */
byte lock[6]; /* 0, 1: prepared, 2: committed */
bool inherited[6];
bool released[6];

/* A cast, at the home or at a core that passes it on. */
bool casting[6];
byte todo[6];
byte awaiting[6];
byte parent[6];
byte round[6];
byte cast_home[6];

/* At the home. */
byte pend[18];
byte wish[6]; /* COMMIT, ABORT, PREPARE or 0 */
byte wish_from[6];
byte wish_slot[6];
byte snapping[6]; /* core + 1 */
bool recovering[6];
byte unwanted[6];
bool recast[6]; /* a core died: the change under way goes out again */
bool resolving[6];
byte resolve_kind[6]; /* RESOLVE or COMMIT */

/* Requests. */
byte rq[18];
byte rd[18];
byte applied[6]; /* the client's change was applied here as this one */

/* Views. */
byte closed[N]; /* the dead that this core hears no more */
bool agreed[N];
bool gathering[N];
bool begun;
bool sends_done; /* the leader has said all it had to */
byte orphan_home[O]; /* at the leader: who claims to be home, LOST if nobody */
byte orphan_best[O];
byte orphan_seq[O];
byte orphan_holders[O];

/* The transaction: one, by core TC. */
byte tstate; /* 0 not begun, 1 locking 0, 2 locking 1, 3 committing, 4 aborting, 5 done, 6 not */
byte tpending;
byte thome[O];

/* The judge's. */
byte order[2 * MAXSEQ]; /* kind * 8 + origin */
bool acked[2 * MAXSEQ];
byte pc[N];

#define CL(c, d) (closed[c] >> (d) & 1)
#define LEADER   (dead[0] -> 1 : 0)

#define HOLDS(c, o, s) (!dead[c] && phase[I(c, o)] == ACTIVE && seq[I(c, o)] >= (s))

inline snd(to, t, o_, x_, y_, z_, w_, v_)
{
	if
	:: dead[to] -> skip
	:: else ->
		assert(nfull(ch[me * N + (to)]));
		ch[me * N + (to)] ! t, o_, x_, y_, z_, w_, v_
	fi
}

/* change.c: apply(), and what the judge makes of it. */
inline apply(k, org)
{
	seq[i] = seq[i] + 1;
	assert(seq[i] < MAXSEQ);
	if
	:: phase[i] == ACTIVE ->
		if
		:: order[o * MAXSEQ + seq[i]] == (k) * 8 + (org) -> skip
		:: else ->
			/* nobody else who lives has another change here, and none was acknowledged */
			assert(!acked[o * MAXSEQ + seq[i]]);
			assert(order[o * MAXSEQ + seq[i]] == 0 ||
			       !((me != 0 && HOLDS(0, o, seq[i])) || (me != 1 && HOLDS(1, o, seq[i])) ||
				 (me != 2 && HOLDS(2, o, seq[i]))));
			order[o * MAXSEQ + seq[i]] = (k) * 8 + (org)
		fi;
		if
		:: lock[i] == 2 && (k) != K_COMMIT && (k) != K_PRUNE -> lock[i] = 0
		:: else -> skip
		fi;
		if
		:: (k) == K_CHANGE && (org) == me -> applied[i] = seq[i]
		:: (k) == K_JOIN -> members[i] = members[i] | BIT(org)
		:: (k) == K_LEAVE -> members[i] = members[i] & ~BIT(org)
		:: (k) == K_PRUNE -> members[i] = members[i] & ~(org); unwanted[i] = unwanted[i] & ~(org)
		:: (k) == K_LOCK -> assert(lock[i] == 0); lock[i] = 1; released[i] = false
		:: (k) == K_COMMIT -> assert(lock[i] == 1); lock[i] = 2
		:: (k) == K_UNLOCK -> assert(lock[i] == 1); lock[i] = 0
		:: else -> skip
		fi;
		/* request_applied(): a later change is the answer to an earlier one */
		if
		:: applied[i] && applied[i] < seq[i] && rq[R(me, o, CLIENT)] == CHANGE ->
			answer_change()
		:: else -> skip
		fi
	:: else -> skip
	fi
}

/* The client's change is acknowledged: every replica that lives has it. */
inline answer_change()
{
	assert(phase[I(0, o)] != ACTIVE || dead[0] || seq[I(0, o)] >= applied[i]);
	assert(phase[I(1, o)] != ACTIVE || dead[1] || seq[I(1, o)] >= applied[i]);
	assert(phase[I(2, o)] != ACTIVE || dead[2] || seq[I(2, o)] >= applied[i]);
	assert(order[o * MAXSEQ + applied[i]] == K_CHANGE * 8 + me);
	acked[o * MAXSEQ + applied[i]] = true;
	rq[R(me, o, CLIENT)] = 0;
	applied[i] = 0
}

/* change.c: pass_on(). */
inline pass_on()
{
	do
	:: todo[i] == 0 -> break
	:: else ->
		child = (todo[i] & 1 -> 0 : (todo[i] & 2 -> 1 : 2));
		todo[i] = todo[i] & ~BIT(child);
		awaiting[i] = awaiting[i] | BIT(child);
#ifdef CHAIN
		snd(child, CAST, o, lastk[i], lasto[i], seq[i], cast_home[i] * 16 + round[i], todo[i]);
		todo[i] = 0
#else
		snd(child, CAST, o, lastk[i], lasto[i], seq[i], cast_home[i] * 16 + round[i], 0)
#endif
	od;
	child = 0
}

/*
 * change.c: the end of every step that orders, applies or casts. @k: the change to apply first,
 * of @g, or 0. @cast: 1, cast it as the home; 2, pass it on; 0, see only whether all answered.
 */
inline carry_out()
{
	if
	:: k -> apply(k, g); lastk[i] = k; lasto[i] = g; lasts[i] = slot
	:: else -> skip
	fi;
	if
	:: cast == 1 -> /* cast_from_home() */
		casting[i] = true;
		cast_home[i] = me;
		parent[i] = me;
		round[i] = round[i] + 1;
		awaiting[i] = 0;
		todo[i] = members[i] & ~BIT(me) & ~closed[me] & ~unwanted[i] &
			  ~(lastk[i] == K_JOIN -> BIT(lasto[i]) : 0)
	:: else -> skip
	fi;
	if
	:: cast -> pass_on()
	:: else -> skip
	fi;
	/* finish_cast() */
	if
	:: casting[i] && awaiting[i] == 0 ->
		casting[i] = false;
		if
		:: parent[i] != me ->
			snd(parent[i], ACK, o, 0, 0, seq[i], cast_home[i] * 16 + round[i], 0)
		:: parent[i] == me && recovering[i] ->
			recovering[i] = false;
			mv = 2
		:: else -> /* ordered() */
			if
			:: lastk[i] == K_JOIN ->
				if
				:: !CL(me, lasto[i]) ->
					snapping[i] = lasto[i] + 1;
					snd(lasto[i], SNAP, o, 0, seq[i], members[i], 0, 0)
				:: else -> skip
				fi
			:: lastk[i] != K_JOIN && lastk[i] != K_PRUNE && lasts[i] < 3 ->
				snd(lasto[i], REPLY, o, ASKED(lastk[i]), OK,
				    lasts[i], 0, 0)
			:: else -> skip
			fi
		fi
	:: else -> skip
	fi
}

/* request.c: request_home_moved(). mv: 1, moved; 2, moved and settled. The client's slot last. */
inline home_moved()
{
	s = 3;
	do
	:: s == 0 -> break
	:: else ->
		s--;
		if
		:: rq[R(me, o, s)] && (rd[R(me, o, s)] == PARKED ||
				       (rd[R(me, o, s)] < N && CL(me, rd[R(me, o, s)]))) ->
			if
			:: s == CLIENT && applied[i] && rq[R(me, o, s)] == CHANGE && mv == 2 ->
				answer_change()
			:: s == CLIENT && applied[i] && rq[R(me, o, s)] == CHANGE && mv == 1 -> skip
			:: else -> rd[R(me, o, s)] = SEND
			fi
		:: else -> skip
		fi
	od;
	mv = 0
}

/* request.c: route(). */
inline route()
{
	rd[R(me, o, s)] = PARKED;
	if
	:: phase[i] == ACTIVE ->
		if
		:: !CL(me, home[i]) ->
			rd[R(me, o, s)] = home[i];
			snd(home[i], ASK, o, rq[R(me, o, s)], s, 0, 0, 0)
		:: else -> skip
		fi
	:: phase[i] == HOLLOW && rq[R(me, o, s)] == CHANGE && CL(me, home[i]) ->
		rq[R(me, o, s)] = 0 /* -EHOSTDOWN: never known */
	:: else ->
		if
		:: !CL(me, BIRTH(o)) ->
			rd[R(me, o, s)] = BIRTH(o);
			snd(BIRTH(o), ASK, o, rq[R(me, o, s)], s, 0, 0, 0)
		:: CL(me, BIRTH(o)) && agreed[me] ->
			rd[R(me, o, s)] = SEEKING;
			snd(LEADER, WHERE, o, 0, s, 0, 0, 0)
		:: else -> skip
		fi
	fi
}

/* request.c: complete(), for an answer that is not NOT_HOME or LATER; then what its asker does. */
inline finish(status)
{
	if
	:: s == CLIENT && rq[R(me, o, s)] == CHANGE && (status) == OK && applied[i] -> answer_change()
	:: s == CLIENT && rq[R(me, o, s)] == CHANGE && !((status) == OK && applied[i]) ->
		/* refused, or lost; if acknowledged and gone here, this core has left */
		assert((status) != OK || phase[i] != ACTIVE);
		rq[R(me, o, s)] = 0
	:: s == CLIENT && rq[R(me, o, s)] == LEAVE ->
		rq[R(me, o, s)] = 0;
		phase[i] = NONE;
		lock[i] = 0
	:: s == CLIENT && rq[R(me, o, s)] == SHARE ->
		rq[R(me, o, s)] = 0;
		if
		:: phase[i] == JOINING -> phase[i] = NONE
		:: else -> skip
		fi
	:: s == COORD -> rq[R(me, o, s)] = 0; txn_step(status)
	:: s == RESOLVER -> rq[R(me, o, s)] = 0; resolve_step(status)
	fi
}

/* txn.c: voted(), ended(). The coordinator's next step after an answer about object @o. */
inline txn_step(status)
{
	thome[o] = rd[R(me, o, COORD)];
	if
	:: tstate == 1 && (status) == OK -> tstate = 2
	:: tstate == 1 && (status) != OK -> tstate = 6
	:: tstate == 2 && (status) == OK -> tstate = 3; tpending = 3
	:: tstate == 2 && (status) != OK -> tstate = 4; tpending = 1
	:: tstate >= 3 ->
		tpending = tpending & ~BIT(o);
		if
		:: tpending == 0 && tstate == 3 ->
			tstate = 5;
			if
			:: thome[0] < N -> snd(thome[0], DONE, 0, 0, 0, 0, 0, 0)
			:: else -> skip
			fi;
			if
			:: thome[1] < N -> snd(thome[1], DONE, 1, 0, 0, 0, 0, 0)
			:: else -> skip
			fi
		:: tpending == 0 && tstate == 4 -> tstate = 6
		:: else -> skip
		fi
	fi
}

/* resolve.c: answered(), conclude(). @o is the other object; this core is the home of 1 - @o. */
inline resolve_step(status)
{
	assert(resolving[I(me, 1 - o)]);
	resolving[I(me, 1 - o)] = false;
	if
	:: lock[I(me, 1 - o)] == 1 && wish[I(me, 1 - o)] == 0 ->
		wish[I(me, 1 - o)] = ((status) == IS_COMMITTED -> COMMIT : ABORT);
		wish_from[I(me, 1 - o)] = me;
		wish_slot[I(me, 1 - o)] = 3
	:: lock[I(me, 1 - o)] == 2 && resolve_kind[I(me, 1 - o)] == COMMIT ->
		released[I(me, 1 - o)] = true
	:: else -> skip
	fi
}

/* object.c: object_ask_rx(); txn.c: txn_told_rx(). */
inline ask_rx(kind_, slot_)
{
	if
	:: phase[i] == NONE || phase[i] == JOINING || phase[i] == HOLLOW ->
		if
		:: phase[i] == NONE || BIRTH(o) == me -> snd(f, REPLY, o, kind_, FAILED, slot_, 0, 0)
		:: else -> snd(f, REPLY, o, kind_, NOT_HOME, slot_, 0, 0)
		fi
	:: phase[i] == ACTIVE && home[i] != me -> snd(f, REPLY, o, kind_, NOT_HOME, slot_, 0, 0)
	:: else ->
		if
		:: (kind_) == RESOLVE && lock[i] == 0 -> snd(f, REPLY, o, kind_, OK, slot_, 0, 0)
		:: (kind_) == RESOLVE && lock[i] == 1 -> snd(f, REPLY, o, kind_, IS_PREPARED, slot_, 0, 0)
		:: (kind_) == RESOLVE && lock[i] == 2 -> snd(f, REPLY, o, kind_, IS_COMMITTED, slot_, 0, 0)
		:: ((kind_) == COMMIT || (kind_) == ABORT) && lock[i] == 0 ->
			snd(f, REPLY, o, kind_, OK, slot_, 0, 0)
		:: ((kind_) == COMMIT || (kind_) == ABORT || (kind_) == PREPARE) && lock[i] ->
			if
			:: wish[i] -> snd(f, REPLY, o, kind_, LATER, slot_, 0, 0)
			:: else ->
				wish[i] = kind_;
				wish_from[i] = f;
				wish_slot[i] = slot_
			fi
		:: else -> pend[Q(me, o, f)] = kind_
		fi
	fi
}

/* A home has something to do for object @o_: object_advance(). */
#define RUNS(o_)                                                                                   \
	(phase[I(me, o_)] == ACTIVE && home[I(me, o_)] == me && !casting[I(me, o_)] &&             \
	 !snapping[I(me, o_)])
#define STRUCK(o_) (members[I(me, o_)] & ((agreed[me] -> closed[me] : 0) | unwanted[I(me, o_)]))
#define COORD_DEAD (agreed[me] && CL(me, TC))
#define RESOLVES(o_)                                                                               \
	(lock[I(me, o_)] && !wish[I(me, o_)] && !released[I(me, o_)] && !resolving[I(me, o_)] &&   \
	 (COORD_DEAD || (inherited[I(me, o_)] && lock[I(me, o_)] == 2)))
#define HAS_WORK(o_)                                                                               \
	(recast[I(me, o_)] || RUNS(o_) &&                                                                               \
	 (recovering[I(me, o_)] || STRUCK(o_) ||                                                   \
	  (lock[I(me, o_)] && (wish[I(me, o_)] || released[I(me, o_)])) || RESOLVES(o_) ||         \
	  (!lock[I(me, o_)] &&                                                                     \
	   (pend[Q(me, o_, 0)] || pend[Q(me, o_, 1)] || pend[Q(me, o_, 2)]))))

/* Take the ask of core @f: change_ask(), share_begin(), txn_prepare_begin(). */
inline serve()
{
	kind = pend[Q(me, o, f)];
	pend[Q(me, o, f)] = 0;
	g = f;
	cast = 1;
	slot = (kind == PREPARE -> COORD : CLIENT);
	if
	:: kind == SHARE && !(members[i] & BIT(f)) -> k = K_JOIN
	:: kind == CHANGE && (members[i] & BIT(f)) -> k = K_CHANGE
	:: kind == LEAVE && (members[i] & BIT(f)) && f != me -> k = K_LEAVE
	:: kind == PREPARE -> k = K_LOCK
	:: kind == PREPARE -> cast = 0; x = FAILED /* check() may refuse */
	:: kind == LEAVE && !(members[i] & BIT(f)) -> cast = 0; x = OK
	:: else -> cast = 0; x = FAILED
	fi;
	if
	:: cast == 0 -> snd(f, REPLY, o, kind, x, slot, 0, 0)
	:: else -> skip
	fi
}

/* Do what was wished of the lock: grant(). */
inline grant()
{
	kind = wish[i];
	g = wish_from[i];
	slot = wish_slot[i];
	wish[i] = 0;
	if
	:: kind == PREPARE || lock[i] == 2 ->
		if
		:: slot < 3 -> snd(g, REPLY, o, kind, OK, slot, 0, 0)
		:: else -> skip
		fi
	:: kind == COMMIT && lock[i] == 1 -> k = K_COMMIT; cast = 1
	:: kind == ABORT && lock[i] == 1 -> k = K_UNLOCK; cast = 1
	fi
}

inline advance()
{
	if
	:: recast[i] -> recast[i] = false; cast = 1
	:: else ->
		if
		:: recovering[i] && lastk[i] -> cast = 1
		:: recovering[i] && !lastk[i] -> recovering[i] = false; mv = 2
		:: !recovering[i] && STRUCK(o) -> k = K_PRUNE; g = STRUCK(o); cast = 1
		:: !recovering[i] && !STRUCK(o) && lock[i] && wish[i] -> grant()
		:: !recovering[i] && !STRUCK(o) && lock[i] && !wish[i] && released[i] -> lock[i] = 0
		:: !recovering[i] && !STRUCK(o) && RESOLVES(o) ->
			/* resolve.c: resolve_start() */
			resolving[i] = true;
			resolve_kind[i] = (lock[i] == 2 -> COMMIT : RESOLVE);
			rq[R(me, 1 - o, RESOLVER)] = resolve_kind[i];
			rd[R(me, 1 - o, RESOLVER)] = SEND
		:: !recovering[i] && !STRUCK(o) && !lock[i] ->
			if
			:: pend[Q(me, o, 0)] -> f = 0
			:: pend[Q(me, o, 1)] -> f = 1
			:: pend[Q(me, o, 2)] -> f = 2
			fi;
			serve()
		fi
	fi
}

/* change.c: change_rx(). x: kind, y: origin, z: seq, w: home and round, v: to be passed on to. */
inline cast_rx()
{
	if
	:: phase[i] == NONE || phase[i] == JOINING || CL(me, w / 16) -> skip
	:: else ->
		if
		:: (w / 16 == home[i] && (z == seq[i] + 1 || (z == seq[i] && w % 16 > round[i]))) ||
		   (w / 16 != home[i] && CL(me, home[i]) && (z == seq[i] + 1 || z == seq[i])) ->
			mv = (w / 16 != home[i] -> 1 : 0);
			home[i] = w / 16;
			k = (z != seq[i] -> x : 0);
			g = y;
			lastk[i] = x;
			lasto[i] = y;
			casting[i] = true;
			cast_home[i] = w / 16;
			parent[i] = f;
			round[i] = w % 16;
			awaiting[i] = 0;
			todo[i] = v & ~closed[me];
			cast = 2
		:: else -> skip
		fi
	fi
}

#include "views.pml"

inline receive()
{
	i = I(me, o);
	if
	:: t == ASK -> ask_rx(x, y)
	:: t == REPLY ->
		s = z;
		if
		:: rq[R(me, o, s)] != x || rd[R(me, o, s)] != f -> skip
		:: else ->
			if
			:: y == NOT_HOME || y == LATER -> rd[R(me, o, s)] = SEND
			:: else -> ended = true
			fi
		fi
	:: t == CAST -> cast_rx()
	:: t == ACK ->
		if
		:: casting[i] && z == seq[i] && w == cast_home[i] * 16 + round[i] &&
		   (awaiting[i] & BIT(f)) ->
			awaiting[i] = awaiting[i] & ~BIT(f)
		:: else -> skip
		fi
	:: t == SNAP ->
		if
		:: phase[i] == JOINING && rd[R(me, o, CLIENT)] == f ->
			phase[i] = ACTIVE;
			home[i] = f;
			seq[i] = y;
			members[i] = z;
			lastk[i] = 0;
			lock[i] = 0;
			round[i] = 0;
			rq[R(me, o, CLIENT)] = 0;
			snd(f, SNAP_ACK, o, OK, 0, 0, 0, 0)
		:: else -> snd(f, SNAP_ACK, o, FAILED, 0, 0, 0, 0)
		fi
	:: t == SNAP_ACK ->
		if
		:: snapping[i] == f + 1 ->
			snapping[i] = 0;
			if
			:: x != OK -> unwanted[i] = unwanted[i] | BIT(f)
			:: else -> skip
			fi
		:: else -> skip
		fi
	:: t == DONE ->
		if
		:: phase[i] == ACTIVE && home[i] == me && lock[i] == 2 && !resolving[i] ->
			released[i] = true
		:: else -> skip
		fi
	:: t == VPREPARE -> close_dead(); snd(LEADER, VACK, 0, 0, 0, 0, 0, 0)
	:: t == CLAIM -> claim_rx()
	:: t == VACK ->
		gathering[me] = false;
		snd(f, VCOMMIT, 0, 0, 0, 0, 0, 0);
		commit_view();
		tell_homes()
	:: t == VCOMMIT -> commit_view()
	:: t == REHOME -> rehome_rx()
	:: t == WHERE ->
		if
		:: gathering[me] -> skip
		:: else -> snd(f, HOME_IS, o, orphan_home[o], y, 0, 0, 0)
		fi
	:: t == HOME_IS ->
		s = y;
		if
		:: !rq[R(me, o, s)] || rd[R(me, o, s)] != SEEKING -> skip
		:: else ->
			if
			:: x == LOST -> rd[R(me, o, s)] = PARKED; y = FAILED; ended = true
			:: else ->
				rd[R(me, o, s)] = x;
				snd(x, ASK, o, rq[R(me, o, s)], s, 0, 0, 0)
			fi
		fi
	fi;
	if
	:: ended -> finish(y); ended = false
	:: else -> skip
	fi
}

/* share.c: agree_share(); change.c: agree_change(); share.c: agree_leave(). */
inline client()
{
	i = I(me, o);
	pc[me] = pc[me] + 1;
	if
	:: kind == SHARE && phase[i] == NONE -> phase[i] = JOINING; x = 1
	:: kind == CHANGE && phase[i] == ACTIVE -> applied[i] = 0; x = 1
	:: kind == LEAVE && phase[i] == ACTIVE && home[i] != me -> phase[i] = HOLLOW; lock[i] = 0; x = 1
	:: else -> skip
	fi;
	if
	:: x -> rq[R(me, o, CLIENT)] = kind; rd[R(me, o, CLIENT)] = SEND
	:: else -> skip
	fi
}

/* txn.c: part_send(). */
#define COORDINATE(kind_, o_) rq[R(me, o_, COORD)] = kind_; rd[R(me, o_, COORD)] = SEND

#define IDLE(o_) (rq[R(me, o_, CLIENT)] == 0)
#define TASK(o_) (rq[R(me, o_, COORD)] == 0)

#define SENDS(o_, s_) (rq[R(me, o_, s_)] && rd[R(me, o_, s_)] == SEND)
#define SENDS_ANY(o_) (SENDS(o_, 0) || SENDS(o_, 1) || SENDS(o_, 2))

proctype Core(byte me)
{
	mtype t;
	byte o, x, y, z, w, v, f, i, s, child, kind, k, g, cast, mv, slot;
	bool ended;

end:
	do
	:: atomic {
		if
		:: !dead[me] && (len(ch[0 * N + me]) || len(ch[1 * N + me]) || len(ch[2 * N + me])) ->
			if
			:: len(ch[0 * N + me]) -> f = 0
			:: len(ch[1 * N + me]) -> f = 1
			:: len(ch[2 * N + me]) -> f = 2
			fi;
			ch[f * N + me] ? t, o, x, y, z, w, v;
			receive()
		:: !dead[me] && HAS_WORK(0) -> o = 0; i = I(me, 0); advance()
		:: !dead[me] && HAS_WORK(1) -> o = 1; i = I(me, 1); advance()
		:: !dead[me] && (SENDS_ANY(0) || SENDS_ANY(1)) ->
			o = (SENDS_ANY(0) -> 0 : 1);
			i = I(me, o);
			s = (SENDS(o, 0) -> 0 : (SENDS(o, 1) -> 1 : 2));
			route()
		/* view.c: agree_fenced(), view_start(): the leader learns that a core has stopped */
		:: !dead[me] && me == LEADER && someone_died && !begun ->
			begun = true;
			gathering[me] = true;
			close_dead();
			v = (dead[0] || dead[1] -> 2 : 1);
			snd(v, VPREPARE, 0, 0, 0, 0, 0, 0)
		CLIENTS
		COORDINATOR
		fi;
		i = I(me, o);
		carry_out();
		if
		:: mv -> home_moved()
		:: else -> skip
		fi;
		o = 0; x = 0; y = 0; z = 0; w = 0; v = 0; f = 0; i = 0; s = 0; kind = 0; k = 0; g = 0;
		cast = 0; mv = 0; slot = 0; t = 0
	   }
	od
}

#include "judge.pml"
