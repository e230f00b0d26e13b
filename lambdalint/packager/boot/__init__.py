"""An artifact started as Lambda starts it: AWS's own runtime client against a Runtime API of ours."""
