"""What steers a session from a stage: OSC over a network, MIDI from knobs and keys."""
