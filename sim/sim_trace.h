/** A run as a picture over time. */
#ifndef SIM_TRACE_H
#define SIM_TRACE_H

#include "sim_events.h"
#include "sim_exec.h"

/** What is drawn; all is borrowed. Zero but for the first two: everything, under its own name. */
typedef struct SimTraceView {
    const SimProgram *program;
    const SimRun *run;
    const char *const *class_names; /* of each class; NULL: its name and how many it stands for */
    const uint32_t *class_order;    /* where each stands; NULL: in order of their numbers */
    const char *const *op_names;    /* of each operation; NULL, or a NULL there: its label */
    uint64_t segments_most; /* with more, a class's blocks show theirs only the first time; 0: no
                               bound */
} SimTraceView;

/** Writes what @view shows to @events: a process for each class, a thread for each stream, a slice
 *  for each operation, in it those of its segments, arrows for sends between classes. Returns how
 *  many segments the run has that are not drawn. The same run gives the same bytes. */
uint64_t sim_trace_write(const SimTraceView *view, SimEvents *events);

#endif
