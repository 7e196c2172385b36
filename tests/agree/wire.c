/* Lines, long messages, and the outbox (lib/agree/wire.c). */
#include <unit.h>

#include "net.h"

static struct net n;

TEST(malformed_lines_are_counted_and_dropped)
{
	u64 seed = 7;
	u8 line[AGREE_LINE];
	u64 malformed;

	net_start(&n, 3, 3, AGREE_TREE);
	net_share_all(&n, net_map(&n, 0), 3);
	malformed = agree_counts(n.core[0].agree)->malformed;
	CHECK_EQUAL(malformed, 0);
	for (u32 i = 0; i < 20000; i++) {
		u16 type = (u16)(AGREE_MORE + unit_random(&seed) % (AGREE_MSG_COUNT + 2));

		for (u32 b = 0; b < sizeof(line); b++)
			line[b] = (u8)(unit_random(&seed) % 5 ? unit_random(&seed) % 4
							      : unit_random(&seed));
		line[1] = 0;
		/* Views and suspicion are what a live peer can say by right: no test of decoding.
		 */
		if (type > AGREE_SUSPECT && type <= AGREE_VIEW_COMMIT)
			continue;
		agree_rx(n.core[0].agree, 1 + (u32)(unit_random(&seed) % 2), type, line);
		while (agree_out(n.core[0].agree))
			agree_out_done(n.core[0].agree);
	}
	CHECK(agree_counts(n.core[0].agree)->malformed > 1000);
	net_end(&n);
}

TEST(a_line_from_nobody_is_dropped)
{
	u64 line[AGREE_LINE / 8] = {16};

	net_start(&n, 2, 2, AGREE_TREE);
	CHECK_EQUAL(agree_rx(n.core[0].agree, 2, AGREE_PING, line), 0);
	CHECK_EQUAL(agree_rx(n.core[0].agree, 0, AGREE_PING, line), 0);
	CHECK_EQUAL(agree_counts(n.core[0].agree)->malformed, 2);
	CHECK(agree_out(n.core[0].agree) == NULL);
	net_end(&n);
}

TEST(a_full_outbox_refuses_events_until_it_is_emptied)
{
	u64 line[AGREE_LINE / 8] = {16}, id;
	int err = 0;

	net_start(&n, 2, 2, AGREE_TREE);
	id = net_map(&n, 0);
	for (u32 i = 0; i < 100000 && !err; i++)
		err = agree_rx(n.core[0].agree, 1, AGREE_PING, line);
	CHECK_EQUAL(err, -EAGAIN);
	CHECK_EQUAL(net_set(&n, 0, id, 0, 1, 0), -EAGAIN);
	CHECK_EQUAL(agree_tick(n.core[0].agree, 5), -EAGAIN);
	while (agree_out(n.core[0].agree))
		agree_out_done(n.core[0].agree);
	CHECK_EQUAL(agree_rx(n.core[0].agree, 1, AGREE_PING, line), 0);
	net_end(&n);
}

TEST(a_long_message_is_taken_when_there_is_memory_for_it)
{
	u64 line[AGREE_LINE / 8] = {200}; /* longer than a line */

	net_start(&n, 2, 2, AGREE_TREE);
	n.fail_after = 1;
	CHECK_EQUAL(agree_rx(n.core[0].agree, 1, AGREE_CHANGE_ASK, line), -ENOMEM);
	CHECK_EQUAL(agree_rx(n.core[0].agree, 1, AGREE_CHANGE_ASK, line), 0);
	CHECK_EQUAL(agree_rx(n.core[0].agree, 1, AGREE_MORE, line), 0);
	net_end(&n);
}

TEST(configurations_out_of_range_are_refused)
{
	static struct agree_out out[4000];
	struct agree *a = n.core[0].agree;
	struct agree_config cfg;

	net_start(&n, 2, 2, AGREE_TREE);
	a = n.core[0].agree;
	cfg = (struct agree_config){
		.machine = n.machine, .memory = n.memory, .out = out, .out_slots = ARRAY_SIZE(out)};
	agree_fini(a);
	names_fini(&n.core[0].names);
	memown_fini(&n.core[0].memown);
	memset(a, 0, agree_size(2));
	memset(&n.core[0].memown, 0, sizeof(n.core[0].memown));
	cfg.self = 2;
	CHECK_EQUAL(agree_init(a, &cfg), -EINVAL);
	cfg.self = 0;
	cfg.out_slots = 2 * agree_step_max(&cfg) - 1;
	CHECK_EQUAL(agree_init(a, &cfg), -EINVAL);
	cfg.out_slots = ARRAY_SIZE(out);
	cfg.fanout = 1;
	CHECK_EQUAL(agree_init(a, &cfg), -EINVAL);
	cfg.fanout = 2;
	CHECK_EQUAL(agree_init(a, &cfg), 0);
	n.core[0].memown.memory = n.memory;
	n.core[0].memown.tree.machine = n.machine;
	net_end(&n);
}
