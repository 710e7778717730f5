/** The Program: the one interface between the strategies and the engine. Built once, sealed, then
 *  const. Everything is named by index; operations are numbered in the order they are added. */
#ifndef SIM_PROGRAM_H
#define SIM_PROGRAM_H

#include <stddef.h>

#include "sim_time.h"

/** No group: the operation starts by itself. */
#define SIM_GROUP_NONE UINT32_MAX

/** The stream that every class has from birth, where its compute runs and its time is counted. */
#define SIM_STREAM_MAIN 0

/** What an operation is. The first two run a block and last as long as it; the other three move
 *  bytes, and a SimNet says how long that takes. */
typedef enum SimOpKind {
    SIM_OP_COMPUTE,
    SIM_OP_DELAY,
    SIM_OP_COLLECTIVE,
    SIM_OP_SEND,
    SIM_OP_COPY,
    SIM_OP_KINDS,
} SimOpKind;

/** One operation of one rank class. Operations of one stream run in the order they are added. */
typedef struct SimOp {
    uint32_t rank_class;
    uint32_t group; /* the rendezvous it takes part in, or SIM_GROUP_NONE */
    union {
        uint32_t block;    /* COMPUTE, DELAY */
        uint32_t transfer; /* COLLECTIVE, SEND, COPY: a number that the SimNet understands */
    };
    uint16_t stream; /* of the class */
    uint16_t bucket; /* where its time goes, if it is a transfer; a block has its own */
    uint16_t label;  /* what it is called in a trace */
    uint8_t kind;    /* SimOpKind */
} SimOp;

/** A piece of a block: so long, into that bucket, called so. */
typedef struct SimSegment {
    SimTime duration_ns;
    uint16_t bucket;
    uint16_t label;
} SimSegment;

typedef struct SimProgram SimProgram;

/** A new empty program, owned by the caller. */
SimProgram *sim_program_new(void);

/** Frees @p; NULL is fine. */
void sim_program_free(SimProgram *p);

/** The number of the ledger account @name, made on first use. At most 65,535. */
uint16_t sim_program_bucket(SimProgram *p, const char *name);

/** The number of the label @name, made on first use. At most 65,535. */
uint16_t sim_program_label(SimProgram *p, const char *name);

/** Sets where waiting goes (pipeline bubble, idle); until then, the bucket "wait". */
void sim_program_set_wait_bucket(SimProgram *p, uint16_t bucket);

/** A new rank class, standing for @multiplicity GPUs, with its main stream. Returns its number. */
uint32_t sim_program_add_class(SimProgram *p, const char *name, int64_t multiplicity);

/** A further stream of @rank_class (one a communicator). Returns its number in the class. */
uint16_t sim_program_add_stream(SimProgram *p, uint32_t rank_class, const char *name);

/** A recipe that many operations share: @count segments, copied, run back to back. Returns its
 *  number. Equal recipes are not merged: the caller keeps the number. */
uint32_t sim_program_add_block(SimProgram *p, const SimSegment *segments, size_t count);

/** A rendezvous of @members operations: all of them start when the last one could, and end
 *  together. They are all of one kind of transfer and name one transfer, for which the net is asked
 *  once; or they all run blocks (a gang), and last as long as the longest. Returns its number. */
uint32_t sim_program_add_group(SimProgram *p, uint32_t members);

/** Appends a copy of @op to its stream. Returns its number. */
uint32_t sim_program_add_op(SimProgram *p, const SimOp *op);

/** @op may not start before @on has ended; @on may be added later. */
void sim_program_add_dep(SimProgram *p, uint32_t op, uint32_t on);

/** Makes room for @ops operations and @deps dependencies beforehand: a matter of speed only. */
void sim_program_reserve(SimProgram *p, uint32_t ops, uint32_t deps);

/** Checks the program and builds its successor lists; afterwards nothing may be added. Fails
 *  (SIM_ERROR_PROGRAM) on an index out of range, a group with too few, too many or unlike members,
 *  a negative duration, or more of anything than its index can count; @p is then only good for
 *  freeing. */
bool sim_program_seal(SimProgram *p, GError **error);

/** Whether @kind moves bytes, and so is priced by a SimNet. */
static inline bool sim_op_kind_is_transfer(uint8_t kind)
{
    return kind >= SIM_OP_COLLECTIVE;
}

/** Counts, of a sealed program or one being built. */
uint32_t sim_program_op_count(const SimProgram *p);
uint32_t sim_program_class_count(const SimProgram *p);
uint16_t sim_program_bucket_count(const SimProgram *p);
uint16_t sim_program_wait_bucket(const SimProgram *p);

/** What was added, borrowed from @p; an index out of range is a bug. */
const SimOp *sim_program_op(const SimProgram *p, uint32_t op);
const char *sim_program_bucket_name(const SimProgram *p, uint16_t bucket);
const char *sim_program_label_name(const SimProgram *p, uint16_t label);
const char *sim_program_class_name(const SimProgram *p, uint32_t rank_class);
int64_t sim_program_class_multiplicity(const SimProgram *p, uint32_t rank_class);
uint16_t sim_program_stream_count(const SimProgram *p, uint32_t rank_class);
const char *sim_program_stream_name(const SimProgram *p, uint32_t rank_class, uint16_t stream);

/** The segments of @block, their number into @count, borrowed. */
const SimSegment *sim_program_block(const SimProgram *p, uint32_t block, size_t *count);

/** The length of @block: the sum of its segments. */
SimTime sim_program_block_total(const SimProgram *p, uint32_t block);

/** Of a sealed program: the operations that wait for @op, the next of its stream first if there is
 *  one; their number into @count, borrowed. */
const uint32_t *sim_program_successors(const SimProgram *p, uint32_t op, uint32_t *count);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(SimProgram, sim_program_free)

#endif
