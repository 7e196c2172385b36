/*
 * Scenarios of agree.pml: which replicas there are at first (START), what each core asks for
 * (CLIENTS), and whether there is a transaction, by core TC.
 */
#define DO(core, step, kind_, obj)                                                                 \
	::me == core &&pc[me] == step &&IDLE(0) && IDLE(1)->kind = kind_;                          \
	o = obj;                                                                                   \
	client()

#define TRANSACTION                                                                                \
	::me == TC &&tstate == 0->tstate = 1;                                                      \
	COORDINATE(PREPARE, 0)                                                                     \
	::me == TC &&tstate == 2 &&tpending == 0->tpending = 4;                                    \
	COORDINATE(PREPARE, 1)                                                                     \
	::me == TC &&tstate == 3 &&!told->told = true;                                             \
	COORDINATE(COMMIT, 0);                                                                     \
	COORDINATE(COMMIT, 1)                                                                      \
	::me == TC &&tstate == 4 &&!told->told = true;                                             \
	COORDINATE(ABORT, 0)

bool told;

#if SCENARIO == 1 /* two cores get a replica, both change it, one leaves; the home changes too */
#define TC 2
#define START                                                                                      \
	replica(0, 0, 0, 1);                                                                       \
	replica(1, 1, 1, 2);
#define CLIENTS                                                                                    \
	DO(0, 0, CHANGE, 0)                                                                        \
	DO(1, 0, SHARE, 0)                                                                         \
	DO(1, 1, CHANGE, 0)                                                                        \
	DO(1, 2, LEAVE, 0)                                                                         \
	DO(2, 0, SHARE, 0)                                                                         \
	DO(2, 1, CHANGE, 0)
#define COORDINATOR
#elif SCENARIO == 2 /* all have a replica of both objects and change them crosswise */
#define TC 2
#define START                                                                                      \
	replica(0, 0, 0, 7);                                                                       \
	replica(1, 0, 0, 7);                                                                       \
	replica(2, 0, 0, 7);                                                                       \
	replica(0, 1, 1, 3);                                                                       \
	replica(1, 1, 1, 3);
#define CLIENTS                                                                                    \
	DO(1, 0, CHANGE, 0)                                                                        \
	DO(2, 0, CHANGE, 0)                                                                        \
	DO(0, 0, CHANGE, 1)                                                                        \
	DO(2, 1, SHARE, 1)                                                                         \
	DO(1, 1, LEAVE, 0)
#define COORDINATOR
#elif SCENARIO == 3 /* a transaction by a core without replicas, while another changes one */
#define TC 2
#define START                                                                                      \
	replica(0, 0, 0, 3);                                                                       \
	replica(1, 0, 0, 3);                                                                       \
	replica(0, 1, 1, 3);                                                                       \
	replica(1, 1, 1, 3);
#define CLIENTS     DO(1, 0, CHANGE, 0)
#define COORDINATOR TRANSACTION
#elif SCENARIO == 4 /* a transaction by one of the homes; replicas spread over all cores */
#define TC 0
#define START                                                                                      \
	replica(0, 0, 0, 5);                                                                       \
	replica(2, 0, 0, 5);                                                                       \
	replica(1, 1, 1, 6);                                                                       \
	replica(2, 1, 1, 6);
#define CLIENTS     DO(2, 0, CHANGE, 1)
#define COORDINATOR TRANSACTION
#elif SCENARIO == 5 /* a transaction on two exclusive objects, and a core that wants a replica */
#define TC 1
#define START                                                                                      \
	replica(0, 0, 0, 1);                                                                       \
	replica(1, 1, 1, 2);
#define CLIENTS                                                                                    \
	DO(2, 0, SHARE, 0)                                                                         \
	DO(2, 1, SHARE, 1)
#define COORDINATOR TRANSACTION
#endif
