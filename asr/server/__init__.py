"""The model as a service: OpenAI's route for recordings, live text over WebSockets, the page, what operators look at.

A request goes through the files in this order::

    protocol ─ access ─ security ─ app ─▶ transcriptions ─ upload ─ parameters ─▶ reading ─ work ─ formats ─▶ answer
                                        ▶ vosk, realtime ─ live_stream ──────────▶ worker_pool ────────────▶ messages
"""
