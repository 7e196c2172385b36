/*
 * The end of agree.pml: who dies, what must hold when nothing can happen any more, and the start.
 */
/* Stops one core, at any step or never. What it sent may be received until its receivers close
 * the channel; sends to it vanish. */
proctype Death()
{
	byte c = 0;

	do
	:: c < N -> c++
	:: c < N ->
		atomic {
			dead[c] = true;
			someone_died = true;
			/* the dead do not count in what is left */
			do
			:: len(ch[0 * N + c]) > 0 -> ch[0 * N + c] ? _, _, _, _, _, _, _
			:: len(ch[1 * N + c]) > 0 -> ch[1 * N + c] ? _, _, _, _, _, _, _
			:: len(ch[2 * N + c]) > 0 -> ch[2 * N + c] ? _, _, _, _, _, _, _
			:: else -> break
			od
		};
		break
	:: c == N -> break
	od
}

#define ANSWERED(c)                                                                                \
	(dead[c] || (rq[R(c, 0, 0)] == 0 && rq[R(c, 0, 1)] == 0 && rq[R(c, 0, 2)] == 0 &&          \
		     rq[R(c, 1, 0)] == 0 && rq[R(c, 1, 1)] == 0 && rq[R(c, 1, 2)] == 0))
#define UNLOCKED(c, o)                                                                             \
	(dead[c] || phase[I(c, o)] != ACTIVE || home[I(c, o)] != (c) || lock[I(c, o)] == 0)
#define LIVES(c, o) (!dead[c] && phase[I(c, o)] == ACTIVE)

/* Is the transaction in the order of @o, as the live replica on @c has it? */
inline find_commit(c, o, found)
{
	q = 1;
	do
	:: q > seq[I(c, o)] -> break
	:: else ->
		if
		:: order[(o) * MAXSEQ + q] / 8 == K_COMMIT -> found = 1
		:: else -> skip
		fi;
		q++
	od
}

/* When nothing can happen any more, everything must be in order. */
proctype Judge()
{
	byte q, c, a = 2, b = 2; /* a, b: is the transaction in objects 0 and 1? 2: object lost */

	timeout;
	atomic {
		judged = true;
		assert(ANSWERED(0) && ANSWERED(1) && ANSWERED(2));
		assert(UNLOCKED(0, 0) && UNLOCKED(1, 0) && UNLOCKED(2, 0));
		assert(UNLOCKED(0, 1) && UNLOCKED(1, 1) && UNLOCKED(2, 1));
		do
		:: c == N -> break
		:: else ->
			if
			:: LIVES(c, 0) ->
				a = (a == 2 -> 0 : a);
				find_commit(c, 0, a);
				/* all replicas have the same, and a home that lives */
				assert(!dead[home[I(c, 0)]] && seq[I(home[I(c, 0)], 0)] == seq[I(c, 0)])
			:: else -> skip
			fi;
			if
			:: LIVES(c, 1) ->
				b = (b == 2 -> 0 : b);
				find_commit(c, 1, b);
				assert(!dead[home[I(c, 1)]] && seq[I(home[I(c, 1)], 1)] == seq[I(c, 1)])
			:: else -> skip
			fi;
			c++
		od;
		assert(a == b || a == 2 || b == 2);
		assert(dead[TC] || tstate == 0 || tstate >= 5);
		assert(dead[TC] || tstate != 5 || (a && b));
		assert(dead[TC] || tstate != 6 || (a != 1 && b != 1))
	}
}

inline replica(c, o, h, m)
{
	phase[I(c, o)] = ACTIVE;
	home[I(c, o)] = h;
	members[I(c, o)] = m
}

init
{
	atomic {
		orphan_home[0] = LOST;
		orphan_home[1] = LOST;
		orphan_best[0] = LOST;
		orphan_best[1] = LOST;
		START
		run Core(0);
		run Core(1);
		run Core(2);
		run Death();
		run Judge()
	}
}
