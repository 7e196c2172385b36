/*
 * How packets of lib/shard travel on a channel between two personalities.
 *
 * A packet is a head of SHARD_HEAD bytes and a body. Short ones are cut into lines; of longer ones
 * only the head is a line, and the body is in the sender's bulk area, which is used as a ring: each
 * body begins where the one before it ended, and goes on at the beginning of the area when it
 * comes to its end. The receiver says how far it has read.
 */
#ifndef SKERRY_MSG_SHARD_H
#define SKERRY_MSG_SHARD_H

#include <skerry/msg.h>

#define SHARD_HEAD      24u
#define SHARD_INLINE    424u /* bytes of a body that goes in lines: eight, with the head */

#define SHARD_MSG_BEGIN MSG_TYPE(MSG_SHARD, 1) /* the first 56 bytes of head and body */
#define SHARD_MSG_MORE  MSG_TYPE(MSG_SHARD, 2) /* the next 56 */
#define SHARD_MSG_BULK  MSG_TYPE(MSG_SHARD, 3) /* the head of a packet whose body is in the area */
#define SHARD_MSG_READ                                                                             \
	MSG_TYPE(MSG_SHARD, 4) /* u64: bytes of bodies that were read, since ever                  \
				*/

static_assert((SHARD_HEAD + SHARD_INLINE) % MSG_PAYLOAD == 0, "whole lines");

#endif
