/** Pieces of text that reports share. */
#ifndef SCEN_TEXT_H
#define SCEN_TEXT_H

#include <glib.h>

enum { SCEN_TEXT_WIDTH = 100 };

/** Appends the words of @text, wrapped: the line at hand goes on from @column, further ones start
 *  @indent in and none passes SCEN_TEXT_WIDTH unless a word does. Ends the line. */
void scen_text_wrap(GString *out, const char *text, int column, int indent);

/** Appends @label, padded to @column, and the text of @format, which goes on under itself. */
void scen_text_line(GString *out, int column, const char *label, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

/** @seconds in the unit that suits them, four digits or more: "13.75 s", "523.1 ms". The caller
 *  owns it. */
char *scen_text_seconds(double seconds);

/** Appends a bar of # as long as @fraction (0 to 1) of @width. */
void scen_text_bar(GString *out, double fraction, int width);

#endif
