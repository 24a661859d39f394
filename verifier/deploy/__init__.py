"""What changes hosts: Ansible, driven from one module in a process of its own. It never says
whether a host is right.
"""
