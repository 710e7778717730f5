/** Notes: what a reader must know beside the figures. */
#ifndef SCEN_NOTE_H
#define SCEN_NOTE_H

#include <glib.h>

/** Adds a text to @notes (of char *, which it owns; NULL: nobody reads them), once. */
void scen_note(GPtrArray *notes, const char *format, ...) G_GNUC_PRINTF(2, 3);

#endif
