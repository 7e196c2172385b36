/*
 * A part of agree.pml: a core has died, and the others agree on that and on who is home of what.
 */
/* view.c: prepare(); rehome.c: claim(). The dead core is the one that is not heard any more. */
inline close_dead()
{
	o = 0;
	do
	:: o == N -> break
	:: else ->
		if
		:: dead[o] ->
			closed[me] = closed[me] | BIT(o);
			do
			:: len(ch[o * N + me]) > 0 -> ch[o * N + me] ? _, _, _, _, _, _, _
			:: else -> break
			od
		:: else -> skip
		fi;
		o++
	od;
	o = 0;
	do
	:: o == O -> break
	:: else ->
		i = I(me, o);
		s = 0;
		do
		:: s == N -> break
		:: else ->
			if
			:: CL(me, s) -> pend[Q(me, o, s)] = 0
			:: else -> skip
			fi;
			s++
		od;
		s = 0;
		if
		:: wish[i] && CL(me, wish_from[i]) -> wish[i] = 0
		:: else -> skip
		fi;
		if
		:: phase[i] == ACTIVE && CL(me, home[i]) -> claim(0)
		:: phase[i] == ACTIVE && home[i] == me && BIRTH(o) != me -> claim(1)
		:: else -> skip
		fi;
		o++
	od;
	o = 0;
	i = 0
}

inline claim(role)
{
	if
	:: me == LEADER -> x = role; z = seq[i]; f = me; claim_rx(); x = 0; z = 0; f = 0
	:: else -> snd(LEADER, CLAIM, o, role, 0, seq[i], 0, 0)
	fi
}

/* rehome.c: rehome_claim_rx(). */
inline claim_rx()
{
	if
	:: x == 1 -> orphan_home[o] = f
	:: else ->
		orphan_holders[o] = orphan_holders[o] | BIT(f);
		if
		:: orphan_best[o] == LOST || z > orphan_seq[o] ||
		   (z == orphan_seq[o] && f < orphan_best[o]) ->
			orphan_best[o] = f;
			orphan_seq[o] = z
		:: else -> skip
		fi
	fi
}

/* view.c: commit(); request.c: request_died(); rehome.c: recover(). */
inline commit_view()
{
	agreed[me] = true;
	o = 0;
	do
	:: o == O -> break
	:: else ->
		i = I(me, o);
		s = 0;
		do
		:: s == 3 -> break
		:: else ->
			if
			:: rq[R(me, o, s)] && !(s == CLIENT && applied[i] && phase[i] == ACTIVE) &&
			   (rd[R(me, o, s)] == PARKED || rd[R(me, o, s)] == SEEKING ||
			    (rd[R(me, o, s)] < N && CL(me, rd[R(me, o, s)]))) ->
				rd[R(me, o, s)] = SEND
			:: else -> skip
			fi;
			s++
		od;
		s = 0;
		if
		:: phase[i] == ACTIVE && home[i] == me ->
			if
			:: snapping[i] && CL(me, snapping[i] - 1) -> snapping[i] = 0
			:: else -> skip
			fi;
			if
			:: casting[i] && (members[i] & closed[me]) -> recast[i] = true
			:: else -> skip
			fi
		:: else -> skip
		fi;
		o++
	od;
	o = 0;
	i = 0
}

/* rehome.c: rehome_rx(). z: who holds a replica. */
inline rehome_rx()
{
	if
	:: phase[i] == ACTIVE && home[i] != me ->
		unwanted[i] = members[i] & ~z & ~closed[me];
		home[i] = me;
		casting[i] = false;
		recovering[i] = true;
		inherited[i] = lock[i] != 0
	:: else -> skip
	fi
}

/* rehome.c: rehome_tell(). */
inline tell_homes()
{
	o = 0;
	do
	:: o == O -> break
	:: else ->
		i = I(me, o);
		if
		:: orphan_best[o] != LOST && orphan_home[o] == LOST ->
			orphan_home[o] = orphan_best[o];
			if
			:: orphan_home[o] == me -> z = orphan_holders[o]; rehome_rx(); z = 0
			:: else -> snd(orphan_home[o], REHOME, o, 0, 0, orphan_holders[o], 0, 0)
			fi
		:: else -> skip
		fi;
		o++
	od;
	o = 0;
	i = 0
}
