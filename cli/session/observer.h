// How the engines (cli/session, runs, search, verify) speak to whoever started them. They print nothing themselves: a
// command shows this on a terminal, a test collects it.
#pragma once

#include <string_view>

namespace cultivar {

class Observer {
public:
    virtual ~Observer() = default;

    // True once a clean stop was asked for. Engines look at it at least ten times a second while they wait.
    virtual bool interrupted() const = 0;
    // One line about the progress of the work, without a line feed.
    virtual void note(std::string_view line) = 0;
    // One line about something that is wrong but does not end the work.
    virtual void warn(std::string_view line) = 0;
};

}  // namespace cultivar
