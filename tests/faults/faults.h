/*
 * What the witness (core 0) and the workers (one on every other core) of the fault tests say to
 * each other, by a channel each.
 *
 *   witness                         worker
 *   FAULTS_CREATE       -->         makes an object
 *                       <--         FAULTS_CREATED
 *   FAULTS_SHARE        -->         gets replicas of all objects
 *                       <--         FAULTS_DONE
 *   FAULTS_RUN          -->         changes objects, one change after the other
 *                       <--         FAULTS_ACKNOWLEDGED, for each change, before it begins the next
 *   FAULTS_STOP         -->         ends the change that is under way
 *                       <--         FAULTS_DONE
 *   FAULTS_READ         -->
 *                       <--         FAULTS_DONE, with a sum over all its replicas
 */
#ifndef FAULTS_FAULTS_H
#define FAULTS_FAULTS_H

#include <rt/rt.h>
#include <agree/map.h>

#define FAULTS_SERVICE      "faults"

#define OBJECTS             4u /* a power of two */

#define FAULTS_HELLO        MSG_TYPE(MSG_TEST, 1) /* from a worker: its core */
#define FAULTS_CREATE       MSG_TYPE(MSG_TEST, 2)
#define FAULTS_CREATED      MSG_TYPE(MSG_TEST, 3) /* the object */
#define FAULTS_SHARE        MSG_TYPE(MSG_TEST, 4) /* OBJECTS objects, ascending */
#define FAULTS_RUN          MSG_TYPE(MSG_TEST, 5) /* the key that this worker alone sets */
#define FAULTS_ACKNOWLEDGED MSG_TYPE(MSG_TEST, 6) /* number of a change, and its result */
#define FAULTS_STOP         MSG_TYPE(MSG_TEST, 7)
#define FAULTS_READ         MSG_TYPE(MSG_TEST, 8)
#define FAULTS_DONE         MSG_TYPE(MSG_TEST, 9) /* result or sum */

/* The objects that change number @n sets to @n: one, or two of different homes. */
static inline u32 faults_objects(u64 n)
{
	u32 first = (u32)(n / 2) % OBJECTS;

	return n & 1 ? 1u << first : 1u << first | 1u << (first ^ 1);
}

/** A sum over what this core's replicas hold. */
u64 faults_sum(const u64 *objects);

/** What a worker does; returns the exit status. */
int worker_main(void);

#endif
