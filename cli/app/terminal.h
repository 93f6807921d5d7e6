// What a person sees. Data goes to standard output, everything else to standard error; colour and moving lines only on
// a terminal that wants them (NO_COLOR, CLICOLOR_FORCE, TERM=dumb, --color). This is the one place that knows.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "pool/util/result.h"
#include "pool/util/text.h"

namespace cultivar {

enum class Paint { none, good, bad, dim, strong };

class Ui {
public:
    enum class Color { automatic, always, never };
    void configure(bool quiet, int verbose, bool json, Color color);

    bool json() const { return json_; }
    bool quiet() const { return quiet_; }
    bool moving() const { return moving_; }  // may a line on standard error be redrawn?
    int width() const { return width_; }     // columns of a terminal on standard output; 0: not a terminal, no limit

    void print(std::string_view text);     // data, as it is
    void note(std::string_view line);      // what goes on: one line, unless quiet
    void detail(std::string_view line);    // one line, only when verbose
    void warn(std::string_view line);      // "cultivar: warning: ..."
    void error(const Error& error);        // "cultivar: ..." and "hint: ..."
    void progress(std::string_view line);  // redraws the last line of a terminal; nothing elsewhere
    void clear_progress();

    std::string paint(Paint paint, std::string_view text) const;  // for standard output

    // Flushes standard output; false when something could not be written (a full disk).
    bool finish();

private:
    bool quiet_ = false, json_ = false, color_ = false, moving_ = false, drawn_ = false;
    int verbose_ = 0, width_ = 0;
};

// 7 -> "7 s", 75 -> "1 min 15 s", 7500 -> "2 h 5 min".
std::string duration_text(double seconds);
// A record's time as it is shown: "2999-01-01T00:00:00Z ?" when it is still to come, by this machine's clock.
std::string time_text(const std::string& utc, std::int64_t now_s);
bool is_to_come(const std::string& utc, std::int64_t now_s);     // by more than clocks differ in good order
std::string bytes_text(double bytes);                            // "4.0 MiB"
std::string joules_text(double joules);                          // "1.2 kJ"
std::string counted(std::int64_t count, std::string_view noun);  // "1 run", "2 runs"

}  // namespace cultivar
