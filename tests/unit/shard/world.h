/* A few shards in one loop of fibers, and a clock that jumps to the next deadline. */
#ifndef WORLD_H
#define WORLD_H

#include <shard/loopback.h>
#include <unit.h>

extern struct shard_loopback *world;
extern struct fiber_loop world_loop;

/** Run @test on a fiber, with @cores shards; then all must end and all memory be free. */
void world_run(u32 cores, void (*test)(void));

/** Start another fiber. */
void world_start(void (*entry)(void *arg), void *arg);

/** Let others run until nothing more happens at this moment. */
void world_settle(void);

/** Of @core. */
struct shard_net *net_of(u32 core);

#endif
