#include "pool/transport/retrying_transport.h"

#include <algorithm>
#include <cctype>
#include <chrono>
#include <cmath>
#include <random>
#include <span>
#include <string>
#include <thread>

namespace cultivar {
namespace {

constexpr std::string_view kRules[] = {
    "hook declined",
    "non-fast-forward",
    "fetch first",
    "denied",
    "not allowed",
    "prohibited",
    "protected",
    "forbidden",
    "unauthorized",
    "authentication",
    "could not read username",
    "could not read password",
    "host key",
    "does not appear to be a git repository",
    "not found",
    "no such",
    "does not exist",
    "couldn't find",
    "error: 401",
    "error: 403",
    "error: 404",
    "code: 401",
    "code: 403",
    "code: 404",
    "publickey",
    "credential",
};
constexpr std::string_view kPassing[] = {
    "cannot lock ref",
    "failed to lock",
    "unable to lock",
    ".lock",
    "failed to update ref",
    "busy",
    "try again",
    "temporar",
    "timed out",
    "timeout",
    "hung up",
    "could not read from remote",
    "connection",
    "failed to connect",
    "early eof",
    "unexpected eof",
    "rpc failed",
    "reset by peer",
    "broken pipe",
    "could not resolve",
    "failed to resolve",
    "internal server error",
    "unexpected disconnect",
    "error: 5",
    "code: 5",
    "too many requests",
    "unavailable",
    "no status",
};

bool has_any(std::string_view text, std::span<const std::string_view> phrases) {
    std::string lower(text);
    std::transform(lower.begin(), lower.end(), lower.begin(), [](unsigned char c) { return std::tolower(c); });
    return std::any_of(phrases.begin(), phrases.end(),
                       [&](std::string_view phrase) { return lower.find(phrase) != std::string::npos; });
}

class Retrying : public Transport {
public:
    Retrying(std::unique_ptr<Transport> inner, Backoff backoff)
        : inner_(std::move(inner)), backoff_(std::move(backoff)) {}

    Result<FetchReport> fetch(const std::string& remote, const std::vector<std::string>& refspecs) override {
        return inner_->fetch(remote, refspecs);
    }
    Result<RemoteRefs> list(const std::string& remote) override { return inner_->list(remote); }

    Result<std::vector<PushStatus>> push(const std::string& remote, const std::vector<PushItem>& items) override {
        auto sent = inner_->push(remote, items);
        for (int tried = 1; tried < backoff_.tries; ++tried) {
            std::vector<std::size_t> open = worth_another(sent, items.size());
            if (open.empty() || !backoff_.sleep(pause_s(tried))) break;
            std::vector<PushItem> rest;
            for (std::size_t i : open) rest.push_back(items[i]);
            auto again = inner_->push(remote, rest);
            const bool final = !again && !may_pass(again.error());
            if (!sent) {
                sent = std::move(again);
            } else if (again) {
                for (std::size_t i = 0; i < open.size(); ++i) (*sent)[open[i]] = (*again)[i];
            }
            if (final) break;
        }
        return sent;
    }

private:
    static std::vector<std::size_t> worth_another(const Result<std::vector<PushStatus>>& sent, std::size_t items) {
        std::vector<std::size_t> open;
        for (std::size_t i = 0; i < items; ++i) {
            if (sent ? !(*sent)[i].accepted && may_pass((*sent)[i].reason) : may_pass(sent.error())) open.push_back(i);
        }
        return open;
    }
    double pause_s(int tried) const { return backoff_.first_s * std::ldexp(0.5 + backoff_.uniform(), tried - 1); }

    std::unique_ptr<Transport> inner_;
    Backoff backoff_;
};

}  // namespace

bool may_pass(std::string_view refusal) { return !has_any(refusal, kRules) && has_any(refusal, kPassing); }

bool may_pass(const Error& error) { return error.code == Code::git && may_pass(error.message); }

Backoff real_backoff(std::function<bool()> stop) {
    Backoff backoff;
    backoff.sleep = [stop = std::move(stop)](double seconds) {
        const auto end = std::chrono::steady_clock::now() + std::chrono::duration<double>(seconds);
        while (std::chrono::steady_clock::now() < end) {
            if (stop && stop()) return false;
            std::this_thread::sleep_for(std::chrono::milliseconds(50));
        }
        return true;
    };
    backoff.uniform = [engine = std::make_shared<std::mt19937_64>(std::random_device{}())] {
        return std::uniform_real_distribution<double>(0, 1)(*engine);
    };
    return backoff;
}

std::unique_ptr<Transport> retrying(std::unique_ptr<Transport> inner, Backoff backoff) {
    return std::make_unique<Retrying>(std::move(inner), std::move(backoff));
}

}  // namespace cultivar
