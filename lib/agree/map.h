/*
 * A replicated map from numbers to numbers: the plainest object type, for tests, and an example
 * of what a type is.
 */
#ifndef AGREE_MAP_H
#define AGREE_MAP_H

#include <agree/agree.h>

#define MAP_SLOTS 32u

/* A change of a map. */
struct map_op {
	u32 key;   /* below MAP_SLOTS */
	u32 flags; /* MAP_IF_* */
	u64 expect;
	u64 value;
};

#define MAP_IF_EQUAL 1u /* refuse with -EDOM unless the value is @expect now */

extern const struct agree_type map_type;

/* The value of @key, 0 if it was never set. @map is from agree_state(). */
u64 map_get(const void *map, u32 key);

#endif
